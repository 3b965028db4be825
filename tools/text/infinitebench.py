"""Invented answers to InfiniteBench's tasks, scored by its own compute_scores.py."""

import importlib.util
import json
import os
import pathlib
import sys
import types

import invented

ENGLISH = "the a an The AN thé keys harbour ferry o'clock l’an a-b lamp red_the 12 river's (the) the. house".split() + ["thea", "a\u0301"]
CHINESE = "甲乙丙丁书人大。，、！ Ａ a．B"
PHRASES = ["answer is:", "answer:", "answer is", "option is", "is:", "Answer is:", "correct option is:", "The answer is: ", "The correct option is:  "]


def official():
    """compute_scores.py without what only its main function and its summaries need."""
    root = os.environ.get("SOUP_INFINITEBENCH")
    if not root:
        sys.exit("set SOUP_INFINITEBENCH to a checkout of OpenBMB/InfiniteBench")
    for name, values in {"evaluate": {"load": lambda _: None}, "tqdm": {"tqdm": iter}, "args": {"parse_args": None}}.items():
        module = types.ModuleType(name)
        module.__dict__.update(values)
        sys.modules.setdefault(name, module)
    path = pathlib.Path(root) / "src" / "compute_scores.py"
    spec = importlib.util.spec_from_file_location("compute_scores", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digits(rng):
    return str(rng.randint(0, 10 ** rng.randint(1, 8)))


def near(rng, text):
    """text, or something like it."""
    kind = rng.randrange(6)
    if kind == 0:
        return text[:-1]
    if kind == 1:
        return text + rng.choice("0aB.")
    if kind == 2:
        return text.lower() if rng.random() < 0.5 else text.upper()
    if kind == 3:
        return "0" + text
    return text


def around(rng, text):
    """text in an answer."""
    marks = lambda: rng.choice(["", " ", "\n", ".", ":", '"', "'", "{", "!", "`", "*", "-", "\u00a0", "-3 ", "  "])
    words = lambda: " ".join(rng.choice(ENGLISH) for _ in range(rng.randrange(4)))
    return words() + marks() + marks() + text + marks() + marks() + words()


def choice(rng, debug):
    names = [f"{invented.word(rng, 'latin')}.{rng.choice('xyz')}_{i}" for i in range(4)]
    at = rng.randrange(4)
    label = [names[at], "ABCD"[at]]
    if debug and rng.random() < 0.3:
        return label, rng.choice(["", " "]) + rng.choice(label) + rng.choice([".", ":", ". because", " .", ""])
    right = rng.choice(label + [f"{label[1]}. {label[0]}", f"{label[1]}: x", f"({label[1]})"])
    wrong = rng.choice(["A", "B", "AB", "C.", "E", "D) ", "", names[0], "BC"])
    text = rng.choice([right, wrong])
    kind = rng.randrange(4)
    if kind == 0:
        return label, text
    if kind == 1:
        return label, rng.choice(["So ", "", "my "]) + rng.choice(PHRASES) + rng.choice(["", " ", "  ", "\n", " **"]) + text
    if kind == 2:
        return label, around(rng, text)
    return label, rng.choice(["It is ", "option ", "I say "]) + text + rng.choice(["", " answer is:", " answer: B", " is: "])


def f1(rng, chinese):
    def phrase():
        if chinese:
            return "".join(rng.choice(CHINESE) for _ in range(rng.randrange(9)))
        return rng.choice([" ", "  ", "\n"]).join(rng.choice(ENGLISH) for _ in range(rng.randrange(7)))

    label = [phrase() or "x" for _ in range(rng.randint(1, 3))]
    return label, rng.choice([phrase(), rng.choice(label), rng.choice(label) + phrase(), around(rng, phrase())])


def case(rng, task):
    """A label in the official form and an answer."""
    if task in ("passkey", "number_string"):
        label = digits(rng)
        return label, around(rng, near(rng, label))
    if task == "kv_retrieval":
        label = "-".join(digits(rng) for _ in range(3))
        return label, around(rng, near(rng, label))
    if task == "longdialogue_qa_eng":
        label = rng.choice(["ANNA", "BEN", "STRASSE", "OLD MAN", "ΝΊΚΟΣ", "O'HARA"])
        return [label, "Else"], around(rng, rng.choice([label.title(), label.lower(), label, "Anna", "straße", "Else"]))
    if task in ("longbook_choice_eng", "code_debug"):
        return choice(rng, task == "code_debug")
    if task in ("longbook_qa_eng", "longbook_qa_chn"):
        return f1(rng, task.endswith("chn"))
    if task == "math_find":
        label = rng.choice([rng.randint(0, 99), rng.randint(0, 999) / 10])
        text = rng.choice([str(label), str(label), near(rng, str(label)), digits(rng), "\u0663", f"0{label}", f"{label}0", f"{label}.5"])
        return [label], around(rng, text)
    if task == "math_calc":
        label = [rng.randint(0, 99) for _ in range(rng.randint(1, 9))]
        given = [n if rng.random() < 0.9 else rng.randint(0, 99) for n in label][: rng.randint(0, 9)]
        return label, rng.choice(["[", "", "Results: "]) + rng.choice([", ", " ", "\n", " 0"]).join(map(str, given)) + rng.choice(["]", "", " 5"])
    label = rng.randint(-999, 999)
    text = rng.choice([str(label), str(label), f"+{label}", f"{label}_0", near(rng, str(label)), "\u0661\u0662"])
    return [label], rng.choice(["It returns ", "x: ", ""]) + text + rng.choice(["", "", ".", "`", " \n", " so"])


def recorded(tasks):
    """The answers of models that the authors' repository has."""
    for path in sorted(pathlib.Path(os.environ["SOUP_INFINITEBENCH"]).glob("results/*/preds_*.jsonl")):
        task = path.stem.removeprefix("preds_")
        if task not in tasks:
            continue
        for line in path.read_text(encoding="utf-8").split("\n"):
            try:
                d = json.loads(line)
            except ValueError:  # blank, or two records that were run together
                continue
            yield task, d.get("ground_truth", d.get("label")), d.get("prediction", d.get("pred"))


def lines(rng, count):
    scorer = official()
    tasks = [t for t in scorer.ALL_TASKS if t != "longbook_sum_eng"]
    cases = [(t, *case(rng, t)) for t in (tasks[i % len(tasks)] for i in range(count))]
    if count >= 2000:
        cases += recorded(tasks)
    for task, label, answer in cases:
        try:
            score = scorer.get_score_one(answer, label, task, "any")
        except ValueError:  # int("1.5"): the official script ends here
            score = None
        yield {"task": task, "label": label, "answer": answer, "score": score}
