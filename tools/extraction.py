"""Scores invented answers with the official code: what package benchmarks must reproduce.

    python tools/extraction.py answers --count 5000 --seed 1    one JSON line an answer, to stdout
    python tools/extraction.py prompts                          the requests of tools/lm_eval/*.yaml, likewise
    python tools/extraction.py sample                           what random.Random draws
    python tools/extraction.py golden                           writes benchmarks/testdata/{answers,prompts,sample}.jsonl anew

Needs lm_eval 0.4.13 and, for the rules of simple-evals, SOUP_SIMPLE_EVALS: a checkout of
https://github.com/openai/simple-evals at commit ee3b031. `tools/extraction.sh` prepares both.
Answers are compared with the Go code by `make agree-extraction`; `go test` reads the golden files.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import random
import sys

import yaml
from lm_eval import tasks
from lm_eval.api.metrics import exact_match_fn
from lm_eval.api.registry import get_filter
import lm_eval.filters  # noqa: F401  registers the filters

HERE = pathlib.Path(__file__).parent
TESTDATA = HERE.parent / "benchmarks" / "testdata"
TASKS = pathlib.Path(tasks.__file__).parent
LANGUAGES = ["bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"]


def simple_evals():
    """The two modules of simple-evals that score, imported from its checkout."""
    root = pathlib.Path(os.environ["SOUP_SIMPLE_EVALS"])
    spec = importlib.util.spec_from_file_location("simple_evals", root / "__init__.py", submodule_search_locations=[str(root)])
    package = importlib.util.module_from_spec(spec)
    sys.modules["simple_evals"] = package
    from simple_evals import common, mgsm_eval  # noqa: E402

    return common, mgsm_eval


class Inventor:
    """Answers as models write them, and as they should not."""

    def __init__(self, rng):
        self.rng = rng

    def number(self, value=None):
        r = self.rng
        value = r.choice([r.randint(0, 20), r.randint(0, 5000), r.randint(0, 10**7)]) if value is None else value
        forms = [
            lambda: str(value), lambda: f"{value:,}", lambda: f"${value}", lambda: f"${value:,}.00", lambda: f"{value}.0",
            lambda: f"-{value}", lambda: f"{value}.", lambda: f"{value:,}.", lambda: f"{value}.50", lambda: f"{value}%",
            lambda: f" {value} ", lambda: f"**{value}**", lambda: f"\\boxed{{{value}}}", lambda: f"{value}\u00a0",
            lambda: str(value).translate(str.maketrans("0123456789", r.choice(["०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "౦౧౨౩౪౫౬౭౮౯", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"]))),
            lambda: ".5", lambda: "$", lambda: "1,2,3", lambda: "..", lambda: "-", lambda: f"{value}/7", lambda: f"1e{value % 9}", lambda: "",
        ]
        return r.choice(forms[:6] * 4 + forms)()

    def phrase(self, words, value):
        """A sentence with a number, introduced or not."""
        r = self.rng
        word = r.choice(words)
        colon = r.choice(["", "", "", "", ":", ": ", " : ", "：", ":\n", ": $", ":\t", " — "])
        tail = r.choice(["", ".", "。", "です。", " dollars.", "\n", " #### ", "\n\nQuestion: 3?", " (approx.)", "!", "\u2028"])
        number = str(value) if r.random() < 0.3 else self.number(value if r.random() < 0.6 else None)
        return word + colon + number + tail

    def answer(self, words, value):
        r = self.rng
        filler = ["First 3*4=12.", "So 5 + 7 = 12", "Therefore,", "Let's see:\n", "100% sure", "çok İyi", "ΣΑΣ", "\x1f", "x\x00", "কারণ ৫", "だから", "-3 -"]
        parts = []
        for _ in range(r.randint(0, 3)):
            parts.append(r.choice(filler))
        for _ in range(r.choice([0, 1, 1, 1, 2, 3])):
            parts.append(self.phrase(words, value))
            if r.random() < 0.3:
                parts.append(r.choice(filler))
        return r.choice([" ", "\n", ""]).join(parts)

    def letter_answer(self, regexes, letters):
        r = self.rng
        words = [w.replace("\\s*", r.choice(["", " ", "\n", "\u00a0"])) for w in regexes]
        out = []
        for _ in range(r.randint(0, 3)):
            word = r.choice(words + ["Answer:"] * len(words) + ["answer :", "ANSWER:", "The answer is"])
            mark = r.choice(["", " ", "\t", " **", "**", " $\\boxed{", "$", "\\(", " \\text{", "(", "\n", " {", "\\mathrm{"])
            letter = r.choice(letters + ["E", "a", "أ", "ب", "ت", "د", "অ", "ব", "ড", "ঢ", "Ａ", "Ｃ", "ａ", "Answer", "none", "", "1"])
            out.append(word + mark + letter + r.choice(["", ".", ")", "}$", "**", " because", "\n", "}"]))
            if r.random() < 0.5:
                out.append(r.choice(["Think.", "A or B?", "Réponse", "So C) it is", ":", ""]))
        return r.choice([" ", "\n", ""]).join(out)


def steps(pipeline):
    return [get_filter(f["function"])(**{k: v for k, v in f.items() if k != "function"}) for f in pipeline]


def filtered(pipeline, answer, doc):
    """What lm-eval's pipeline makes of one answer; raises where it does."""
    resps = [[answer]]
    for step in steps(pipeline):
        resps = list(step.apply(resps, [doc]))
    return resps[0]


def lm_eval_score(task, pipeline, answer, gold, doc=None):
    metric = next(m for m in task["metric_list"] if m["metric"] == "exact_match")
    options = {k: v for k, v in metric.items() if k not in ("metric", "aggregation", "higher_is_better")}
    result = filtered(pipeline, answer, doc or {})
    return result, float(exact_match_fn(predictions=[result], references=[gold], **options)["exact_match"])


def official_task(path):
    config = yaml.safe_load((TASKS / path).read_text())
    if "include" in config:
        base = yaml.safe_load((TASKS / path).parent.joinpath(config.pop("include")).read_text())
        config = {**base, **config}
    return config


def gsm8k(rng, count):
    task, inventor = official_task("gsm8k/gsm8k.yaml"), Inventor(rng)
    for i in range(count):
        value = rng.choice([rng.randint(0, 30), rng.randint(0, 3000), rng.randint(-50, 0)])
        gold = f"There are 3*4=<<3*4=12>>12.\n#### {value:,}"
        answer = inventor.answer(["####", "#### ", "#### -", "The answer is ", "Answer", "####\u00a0"], value)
        for f in task["filter_list"]:
            result, score = lm_eval_score(task, f["filter"], answer, gold)
            yield {"family": "gsm8k", "variant": f["name"], "gold": gold, "answer": answer, "result": result, "score": score}


def mgsm_native(rng, count):
    inventor = Inventor(rng)
    configs = {l: official_task(f"mgsm/native_cot/mgsm_native_cot_{l}.yaml") for l in LANGUAGES}
    for i in range(count):
        language = LANGUAGES[i % len(LANGUAGES)]
        task = configs[language]
        phrase = task["filter_list"][0]["filter"][0]["regex_pattern"].split("(")[0]
        value = rng.choice([rng.randint(0, 30), rng.randint(0, 30000)])
        answer = inventor.answer([phrase, phrase, phrase.strip(), "The answer is ", "答案是 "], value)
        for f in task["filter_list"]:
            result, score = lm_eval_score(task, f["filter"], answer, str(value))
            yield {"family": "mgsm", "variant": "native-cot", "filter": f["name"], "language": language, "gold": str(value),
                   "answer": answer, "result": result, "score": score}


def mgsm_simple(rng, count):
    _, official = simple_evals()
    inventor = Inventor(rng)
    words = list(official.LANG_TO_ANSWER_PREFIX.values())
    for i in range(count):
        language = LANGUAGES[i % len(LANGUAGES)]
        prefix = official.LANG_TO_ANSWER_PREFIX[language]
        value = rng.choice([rng.randint(0, 30), rng.randint(0, 30000)])
        gold = rng.choice([str(value), f"{value:,}"])
        answer = inventor.answer([prefix] * 6 + words, value)
        result = official.parse_answer(answer, prefix)
        yield {"family": "mgsm", "variant": "simple-evals", "language": language, "gold": gold, "answer": answer,
               "result": result, "score": float(official.score_mgsm(gold, result)),
               "prompt": official.LANG_TO_INSTRUCTIONS[language].format(input="1+1?")}


def letters_simple(rng, count):
    import re
    import warnings

    warnings.simplefilter("ignore")
    common, _ = simple_evals()
    inventor = Inventor(rng)
    for i in range(count):
        gold = rng.choice("ABCD")
        answer = inventor.letter_answer(common.MULTILINGUAL_ANSWER_REGEXES, list("ABCD") + [gold] * 6)
        text, extracted = common.normalize_response(answer), None
        for regex in common.MULTILINGUAL_ANSWER_REGEXES:  # the loop of mmlu_eval.MMLUEval
            match = re.search(common.MULTILINGUAL_ANSWER_PATTERN_TEMPLATE.format(regex), text)
            if match:
                extracted = common.normalize_extracted_answer(match.group(1))
                break
        row = {"Question": "Which?", "A": "x", "B": "y", "C": "z", "D": "w"}
        yield {"family": "letter", "variant": "simple-evals", "gold": gold, "answer": answer, "result": extracted or "",
               "score": 1.0 if extracted == gold else 0.0, "prompt": common.format_multichoice_question(row)}


CHOICES = [["ice", "steam", "ice cream", "mud"], ["Guilty", "Guilty of Romance", "No!", "not guilty"], ["3.5", "35", "-3.5", "3"], ["été", "ÉTÉ 2", "ß", "İ"]]


def letters_lm_eval(rng, count, together=100):
    """Many answers a pipeline: the filter makes its table of punctuation anew each time."""
    for at in range(0, count, together):
        options = {"function": "multi_choice_regex", "group_select": rng.choice([0, 0, -1]), "ignore_case": rng.random() < 0.5,
                   "ignore_punctuation": rng.random() < 0.5, "regex_pattern": rng.choice([r"(\([A-Z]\))", r"#### (\-?[0-9\.\,]+)", r"(?i)answer is:?\s*(\([A-D]\))|final: ([A-D])"])}
        if rng.random() < 0.3:
            options["regexes_to_ignore"] = [r"\bthe\b", ","]
        pipeline = [options, {"function": "take_first"}]
        match = {"ignore_case": rng.random() < 0.5, "ignore_punctuation": rng.random() < 0.5}
        docs, texts = [], []
        for _ in range(min(together, count - at)):
            choices = rng.choice(CHOICES)
            parts = [rng.choice(["The answer is ", "final: ", "It is: ", ":", "I say ", "the ", ""]) + rng.choice(
                choices + [c.upper() + "," for c in choices] + ["(A)", "(B)", "(C)", "C", " D", "(E)", ""]) for _ in range(rng.randint(1, 3))]
            docs.append({"choices": choices})
            texts.append(rng.choice([" ", ". ", "\n"]).join(parts))
        resps = [[text] for text in texts]
        for step in steps(pipeline):
            resps = list(step.apply(resps, docs))
        for doc, answer, result in zip(docs, texts, resps):
            gold = f"({rng.choice('ABCD')})"
            score = float(exact_match_fn(predictions=[result], references=[gold], **match)["exact_match"])
            yield {"family": "filters", "filters": pipeline, "match": match, "choices": doc["choices"], "gold": gold, "answer": answer,
                   "result": result, "score": score}


PATTERNS = [r"(-?[$0-9.,]{2,})|(-?[0-9]+)", r"answer is (?P<n>\w+)\W", r"\b(\w+)$", r"(?s)<a>(.*?)</a>", r"(?i)result\s*=\s*(\S+)", r"(\d+)(?:\.(\d{,2}))?",
            r"[^[\]]+", r"(?m)^(.+)\Z", r"(?P<q>['\"])(\w+)(?P=q)", r"\Bs\b", r"[\w\s]+", r"(?<=: )\d+", r"[\W_]+"]


def filters_lm_eval(rng, count):
    inventor = Inventor(rng)
    texts = ["answer is blue. ", "result = 4 ", "RESULT=x1\n", "<a>ja\nnein</a>", "'quoted' \"words\"", "[x] y", "ক্ষেত্র বাংলা", "తెలుగు", "naïve_s", "x: 42", "£5", "12.345", "kiss", "\x1c\x1d tab\t", "ΟΔΟΣ İs", "yes", "Yes", " no "]
    for i in range(count):
        pipeline = []
        for _ in range(rng.randint(0, 2)):
            pipeline.append(rng.choice([
                {"function": "regex", "regex_pattern": rng.choice(PATTERNS), "group_select": rng.choice([0, -1])},
                {"function": "regex", "regex_pattern": rng.choice(PATTERNS), "fallback": "none"},
                {"function": "remove_whitespace"}, {"function": "lowercase"}, {"function": "uppercase"},
                {"function": "map", "mapping_dict": {"yes": "1", "no": "0", "blue": "b"}, "default_value": "?"}]))
        pipeline.append({"function": "take_first"})
        answer = "".join(rng.choice(texts + [inventor.number()]) for _ in range(rng.randint(0, 4)))
        match = {"ignore_case": rng.random() < 0.5, "ignore_punctuation": rng.random() < 0.5, "ignore_numbers": rng.random() < 0.2}
        if rng.random() < 0.4:
            match["regexes_to_ignore"] = rng.choice([[","], [r"\$", r"(?s).*= "], [r"\.$", r"\s+"], [r"^\W+"]])
        result = filtered(pipeline, answer, {})
        gold = rng.choice([result, result, result.upper() + ".", "4", "1", "x1"])
        score = float(exact_match_fn(predictions=[result], references=[gold], **match)["exact_match"])
        if gold:
            yield {"family": "filters", "filters": pipeline, "match": match, "choices": [], "gold": gold, "answer": answer, "result": result, "score": score}


GROUPS = [gsm8k, mgsm_native, mgsm_simple, letters_simple, letters_lm_eval, filters_lm_eval]


def answers(count, seed):
    for i, group in enumerate(GROUPS):
        yield from group(random.Random(1000 * seed + i), count)


def prompts():
    """The requests that lm-eval builds of our own tasks, documents in order."""
    import logging

    logging.disable(logging.WARNING)
    from lm_eval.tasks import TaskManager

    here = os.getcwd()
    os.chdir(HERE / "lm_eval")
    manager = TaskManager(include_path=str(HERE / "lm_eval"), include_defaults=False)
    for path in sorted((HERE / "lm_eval").glob("*.yaml")):
        if path.name.startswith("_"):
            continue
        name = yaml.load(path.read_text(), Loader=yaml.BaseLoader)["task"]
        task = next(iter(tasks.get_task_dict([name], manager).values()))
        task.set_fewshot_seed(1234)
        task.build_all_requests()
        for instance in task.instances:
            out = {"task": path.name, "doc": instance.doc_id, "index": instance.idx, "context": instance.args[0]}
            if instance.request_type == "loglikelihood":
                gold = task.doc_to_target(instance.doc)
                choices = task.doc_to_choice(instance.doc)
                out["continuation"] = instance.args[1]
                out["right"] = gold if isinstance(gold, list) else [choices.index(gold) if isinstance(gold, str) else gold]
            else:
                gold = task.doc_to_target(instance.doc)
                until = instance.args[1]["until"]
                out["until"] = [until] if isinstance(until, str) else until
                out["max_tokens"] = instance.args[1].get("max_gen_toks", 256)
                out["gold"] = [str(g) for g in gold] if isinstance(gold, list) else [str(gold)]
            yield out
    os.chdir(here)


def sample():
    for seed in (0, 1234, 7):
        for n, k in ((5, 5), (20, 5), (21, 5), (22, 5), (7473, 5), (100, 8), (300, 8), (1, 1), (500, 25)):
            yield {"seed": seed, "n": n, "k": k, "drawn": random.Random(seed).sample(range(n), k)}


def write(lines, out):
    for line in lines:
        print(json.dumps(line, ensure_ascii=False), file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["answers", "prompts", "sample", "golden"])
    parser.add_argument("--count", type=int, default=5000, help="answers of each kind")
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    if o.what != "golden":
        write({"answers": lambda: answers(o.count, o.seed), "prompts": prompts, "sample": sample}[o.what](), sys.stdout)
        return
    for name, lines in (("answers", answers(60, 2)), ("prompts", prompts()), ("sample", sample())):
        with open(TESTDATA / f"{name}.jsonl", "w", encoding="utf-8") as out:
            write(lines, out)


if __name__ == "__main__":
    main()
