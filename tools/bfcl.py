"""What the Berkeley Function Calling Leaderboard's own programs say, for soup's tests to compare with.

    bfcl.py verdicts OUT.jsonl [--answers N] [--seed S]   official data, perturbed answers, official verdicts
    bfcl.py prompts OUT.jsonl                             official data: messages and tools as the benchmark sends them
    bfcl.py scores OUT.jsonl                              synthetic scores, and what the leaderboard script makes of them
    bfcl.py folder OUT                                    where the official data is
    bfcl.py golden                                        eval/bfcl/testdata: invented functions, the same by smaller numbers

Needs Python 3.11 (another one says something else of some syntax errors) with the packages of tools/anchors/python.sh.
`make anchors` runs it. Nothing that it writes from the official data (Apache-2.0) belongs into the repository.
Verdicts: {"item": id, "rule": .., "function": .., "ground_truth": ..} a line, then {"answer": .., "right": .., "calls": ..}
for each of the item's answers; right is null where the official program stops with an exception.
"""
import argparse, contextlib, copy, functools, io, json, os, random, sys, tempfile, types, warnings
from types import SimpleNamespace

warnings.simplefilter("ignore")
os.environ.setdefault("BFCL_PROJECT_ROOT", tempfile.mkdtemp(prefix="bfcl-"))
sys.setrecursionlimit(10000)

# The table of models imports every vendor's client; two made-up models replace it.
models = types.ModuleType("bfcl_eval.constants.model_config")
models.MODEL_CONFIG_MAPPING = {
    name: SimpleNamespace(underscore_to_dot=name == "calling", display_name=name, url="", org="", license="",
                          input_price=None, output_price=None)
    for name in ("prompting", "calling")
}
sys.modules[models.__name__] = models

from bfcl_eval.constants import default_prompts
from bfcl_eval.constants.eval_config import PROMPT_PATH
from bfcl_eval.constants.enums import Language, ModelStyle, ReturnFormat
from bfcl_eval.constants.type_mappings import GORILLA_TO_OPENAPI
from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker
from bfcl_eval.model_handler.utils import (
    convert_to_tool, default_decode_ast_prompting, system_prompt_pre_processing_chat_model,
)
from bfcl_eval.utils import (
    _func_doc_language_specific_pre_processing, is_empty_output, is_function_calling_format_output, load_dataset_entry,
    load_ground_truth_entry,
)

here = os.path.dirname(os.path.abspath(__file__))
AST = ["simple_python", "simple_java", "simple_javascript", "multiple", "parallel", "parallel_multiple", "live_simple",
       "live_multiple", "live_parallel", "live_parallel_multiple"]
RELEVANCE = ["irrelevance", "live_irrelevance", "live_relevance"]
FORMATS = {"python": ReturnFormat.PYTHON, "java": ReturnFormat.JAVA, "javascript": ReturnFormat.JAVASCRIPT}


def language(category):
    return "javascript" if "javascript" in category else "java" if "java" in category else "python"


def matching(category):
    return "parallel" if "parallel" in category else "multiple" if "multiple" in category else "simple"


def decode(rule, answer):
    if not rule["calling"]:
        return default_decode_ast_prompting(answer, FORMATS[rule["language"]], False)
    calls = json.loads(answer)  # OpenAICompletionsHandler.decode_ast of [{name: arguments}]
    calls = calls if isinstance(calls, list) else [calls]
    return [{c["name"]: json.loads(c["arguments"]) if isinstance(c["arguments"], str) else c["arguments"]} for c in calls]


def verdict(item, answer):
    """right, calls: as _evaluate_single_ast_entry and _evaluate_single_relevance_entry have it."""
    rule = item["rule"]
    try:
        decoded = decode(rule, answer)
    except Exception:
        return False, False
    calls = not is_empty_output(decoded)
    if not is_function_calling_format_output(decoded):
        return False, calls
    try:
        result = ast_checker(item["function"], decoded, item["ground_truth"], Language(rule["language"]), rule["matching"],
                             "calling" if rule["calling"] else "prompting")
    except Exception:
        return None, calls
    return bool(result["valid"]), calls


# Answers: one right answer of an item in each syntax, and what a model might make of it.

class Name(str):
    """Text that stands without quotes."""


def pick(rng, item, wanted):
    """Right arguments of one call of the ground truth."""
    (name, params), = wanted.items()
    schema = next((f for f in item["function"] if f["name"] == name), item["function"][0])["parameters"]["properties"]
    args = {}
    for key, allowed in params.items():
        options = [a for a in allowed if a != ""]
        if not options or "" in allowed and rng.random() < 0.4:
            continue
        args[key] = concrete(rng, rng.choice(options), schema.get(key, {}))
    return [name, args]


def concrete(rng, value, schema):
    """An allowed value as an answer would have it: dicts of the ground truth list the options of each key."""
    if isinstance(value, dict):
        out = {}
        for k, options in value.items():
            if not isinstance(options, list):
                out[k] = options
                continue
            chosen = [o for o in options if o != ""]
            if chosen and not ("" in options and rng.random() < 0.4):
                out[k] = concrete(rng, rng.choice(chosen), {})
        return out
    if isinstance(value, list):
        return [concrete(rng, v, {}) for v in value]
    return value


def retyped(rng, v):
    options = [str(v), [v], (v,), {"value": v}, None, True, 0, "", Name("value"), repr(v), -1, 1.5, [[v]], [v, v]]
    if isinstance(v, bool):
        options += [int(v), str(v).lower(), not v, Name(str(v).lower())]
    elif isinstance(v, int):
        options += [float(v), v + 1, -v, str(float(v)), Name(f"{v}.0"), Name(f"+{v}"), Name(f"{v - 1}+1"), Name(f"{v * 2}/2"),
                    Name(f"{v}*1"), Name(f"0x{v:x}" if v >= 0 else str(v)), Name(f"{v}e0"), Name(f"({v})"), Name(f"{v:_}"),
                    Name(f"{v * 3}//3"), Name(f"{v}L"), Name(f"{v}n"), Name(f"--{v}"), Name(f"~{v}"), Name(f"{v} if True else 0"),
                    Name(f"{v}.5-0.5"), Name(f"2**3"), Name(f"{v}j"), Name(f"int({v})"), Name(f"{v}%{v + 1}")] if abs(v) < 1e9 else [float(v)]
    elif isinstance(v, float):
        options += [v + 0.5, Name(repr(v) + "0"), Name(f"{v!r}*1"), Name(f"{v!r}f"), Name(f"-{v!r}"), Name(f"{v!r}+0")] + ([int(v)] if v == v and abs(v) < 1e15 else [])
    elif isinstance(v, str):
        options += [v.upper(), v.lower(), v.replace(" ", ""), v.replace(" ", "_"), v.replace("'", '"'), v + ".", v + "!", v[:-1], v.title(),
                    " " + v, v.replace("-", " "), Name(v if v.isidentifier() else "name"), list(v), v.split(), Name(f"f{v!r}"), Name(f"b{v!r}" if v.isascii() else "x"),
                    Name(f"{v[:2]!r} {v[2:]!r}"), Name(f"{v[:2]!r}+{v[2:]!r}"), Name(f"r{v!r}"), Name(f"'''{v}'''"), Name(f"str({v!r})"), Name(f"{v!r}.lower()"),
                    Name(f"names[{v!r}]"), Name("a.b"), Name("None"), Name("..."), Name(f"[{v!r}][0]"), v + "İΣ", Name(f"u{v!r}"), Name("x[1:2]")]
    elif isinstance(v, (list, tuple)):
        l = list(v)
        options += [tuple(l), l[::-1], l[:-1], l + l[:1], [str(e) for e in l], [l], [float(e) if isinstance(e, int) else e for e in l],
                    {str(i): e for i, e in enumerate(l)}, set_text(l), [retyped(rng, e) if rng.random() < 0.4 else e for e in l], [],
                    [[e] for e in l], Name(f"{python(l)}+[]"), Name(f"{python(l)}*1"), Name(f"list({python(l)})"), Name(f"[x for x in {python(l)}]"), Name(f"({', '.join(python(e) for e in l)})")]
        if l and all(isinstance(e, dict) for e in l):
            options += [l[0], l[::-1], [{**l[0], "extra": 1}] + l[1:]]
    elif isinstance(v, dict):
        options += [{**v, "extra": 1}, dict(list(v.items())[1:]), dict(reversed(list(v.items()))), {}, list(v), list(v.values()), [v], json.dumps(v),
                    {k: retyped(rng, e) if rng.random() < 0.5 else e for k, e in v.items()}, {str(k).upper(): e for k, e in v.items()},
                    Name("dict(" + ", ".join(f"{k}={python(e)}" for k, e in v.items()) + ")"), {k: [e] for k, e in v.items()}, {1: 2}, Name("{**" + python(v) + "}")]
    return rng.choice(options)


def set_text(l):
    return Name("{" + ", ".join(python(e) for e in l) + "}") if l else Name("set()")


def perturb(rng, item, calls):
    """Changes calls, [[name, {argument: value}], ..], in one way."""
    calls = copy.deepcopy(calls)
    c = rng.choice(calls)
    name, args = c
    keys = list(args)
    schema = item["function"][0]["parameters"]["properties"]
    way = rng.choice(["drop", "rename", "retype", "retype", "retype", "reorder", "extra", "schema", "function", "again", "fewer",
                      "swap", "positional", "dots", "shuffle", "other"])
    if way == "drop" and keys:
        del args[rng.choice(keys)]
    elif way == "rename" and keys:
        k = rng.choice(keys)
        c[1] = {(rng.choice([k + "s", k.upper(), k[:-1] or "x", "from", "class", "_" + k]) if x == k else x): v for x, v in args.items()}
    elif way == "retype" and keys:
        k = rng.choice(keys)
        args[k] = retyped(rng, args[k])
    elif way == "reorder":
        c[1] = dict(rng.sample(list(args.items()), len(args)))
    elif way == "extra":
        args[rng.choice(["extra", "limit", "unit"])] = rng.choice([1, "x", None, [1]])
    elif way == "schema":
        args[rng.choice(list(schema) or ["x"])] = rng.choice([1, "x", True, [1], {}, "", None])
    elif way == "function":
        c[0] = rng.choice([name + "s", name.upper(), name.replace(".", "_"), name.split(".")[-1], "a." + name, name + ".f", rng.choice(item["function"])["name"]])
    elif way == "again":
        calls.append(copy.deepcopy(c))
    elif way == "fewer":
        calls.remove(c)
    elif way == "swap" and len(keys) > 1:
        a, b = rng.sample(keys, 2)
        args[a], args[b] = args[b], args[a]
    elif way == "positional" and keys:
        args[""] = args.pop(rng.choice(keys))
    elif way == "dots":
        c[0] = name.replace(".", "_") if "." in name else name.replace("_", ".", 1)
    elif way == "shuffle":
        rng.shuffle(calls)
    elif way == "other" and len(calls) > 1:
        calls[0][1], calls[1][1] = calls[1][1], calls[0][1]
    return calls


def python(v):
    return str(v) if isinstance(v, Name) else "[" + ", ".join(map(python, v)) + "]" if type(v) is list else \
        "{" + ", ".join(f"{k!r}: {python(e)}" for k, e in v.items()) + "}" if type(v) is dict else \
        "(" + ", ".join(map(python, v)) + ("," if len(v) == 1 else "") + ")" if type(v) is tuple else repr(v)


def quoted(rng, v):
    if isinstance(v, Name):
        return str(v)
    text = v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def java(rng, v, schema):
    """A value as Java source, by the schema's type most of the time."""
    t, items = schema.get("type"), schema.get("items", {}).get("type")
    if isinstance(v, Name):
        return str(v)
    if isinstance(v, bool) or v is None:
        return {True: "true", False: "false", None: "null"}[v] if rng.random() < 0.9 else repr(v)
    if isinstance(v, (int, float)):
        suffix = {"long": "L", "float": "f"}.get(t, "") if rng.random() < 0.9 else rng.choice(["", "L", "f", "d"])
        return f"{v}{suffix}"
    if isinstance(v, str):
        if t not in ("String", "char", None) and rng.random() < 0.8:
            return v
        return quoted(rng, v)
    if isinstance(v, dict):
        if rng.random() < 0.2:
            return rng.choice(["new HashMap<>()", "Map.of(" + ", ".join(f'"{k}", {java(rng, e, {})}' for k, e in v.items()) + ")", json.dumps(v)])
        puts = " ".join(f'put("{k}", {java(rng, unlisted(e), {})});' for k, e in v.items())
        return rng.choice(["new HashMap<String, Object>() {{ %s }}", "new HashMap<>() {{%s}}", '"new HashMap<String, Object>() {{ %s }}"']) % puts
    inner = [java(rng, e, {"type": items or "String"}) for e in v]
    element = {"integer": "int", "String": "String", "long": "long", "char": "char", "boolean": "boolean"}.get(items, "Object")
    forms = ["new %s[]{%s}" % (element, ", ".join(inner)), "new ArrayList<%s>(Arrays.asList(%s))" % (element, ", ".join(inner)),
             "Arrays.asList(%s)" % ", ".join(inner), "new ArrayList<>() {{ %s }}" % " ".join(f"add({e});" for e in inner),
             "[%s]" % ", ".join(inner), "{%s}" % ", ".join(inner), "List.of(%s)" % ", ".join(inner), "new ArrayList<>()"]
    right = 0 if t == "Array" else 1
    return forms[right] if rng.random() < 0.6 else rng.choice(forms)


def unlisted(v):
    return v[0] if isinstance(v, list) and v else v


def script(rng, v, schema):
    """A value as JavaScript source."""
    t = schema.get("type")
    if isinstance(v, Name):
        return str(v)
    if isinstance(v, bool) or v is None:
        return {True: "true", False: "false", None: "null"}[v] if rng.random() < 0.9 else repr(v)
    if isinstance(v, (int, float)):
        return f"{v}n" if t == "Bigint" and rng.random() < 0.8 else str(v)
    if isinstance(v, str):
        if t not in ("String", None) and rng.random() < 0.8:
            return v
        return quoted(rng, v) if rng.random() < 0.7 else "'" + v.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    if isinstance(v, dict):
        key = rng.choice(["%s", '"%s"', "'%s'"])
        return "{" + ", ".join(f"{key % k}: {script(rng, e, {})}" for k, e in v.items()) + "}"
    inner = ", ".join(script(rng, e, {"type": schema.get("items", {}).get("type")}) for e in v)
    return f"[{inner}]" if rng.random() < 0.8 else f"new Array({inner})"


def source(rng, item, calls):
    lang = item["rule"]["language"]
    out = []
    for name, args in calls:
        schema = next((f for f in item["function"] if f["name"] == name), item["function"][0])["parameters"]["properties"]
        eq = rng.choice(["=", "=", "=", " = "])
        parts = []
        for k, v in args.items():
            text = python(v) if lang == "python" else java(rng, v, schema.get(k, {})) if lang == "java" else script(rng, v, schema.get(k, {}))
            parts.append(f"{k}{eq}{text}" if k else text)
        if any(k == "" for k in args):
            parts.sort(key=lambda p: "=" in p)
        out.append(f"{name}({rng.choice([', ', ', ', ',', ',' + chr(10) + '  ']).join(parts)})")
    return "[" + rng.choice([", ", ", ", ",", ",\n "]).join(out) + "]"


def wrapped(rng, text):
    """What models put around an answer, and what they break."""
    i = rng.randrange(len(text) + 1)
    return rng.choice([
        text[1:-1], text[1:-1], f"```\n{text}\n```", f"```python\n{text}\n```", text + "\n", " " + text, "Sure! " + text, text + " Done.", text[:-1], text[1:],
        text[:i], text[i:], text[:i] + rng.choice("()[]{}\"',=: \n#.;0a`\\-+*/<>é") + text[i:], text[:i] + text[i + 1:], text + "]", "[" + text, text[:-1] + ",]",
        text[:-1] + "  # call\n]", "# call\n" + text, text.replace(", ", ",\n"), text.replace('"', "'"), text.replace("'", '"'), text[1:-1] + ";", f"({text[1:-1]})",
        "<tool_call>" + text + "</tool_call>", text.replace("(", " (", 1), "\t" + text, text[1:-1] + "\n" + text[1:-1], text[1:-1].replace("), ", ")\n"), "", "[]", "I cannot do that.",
        "[None]", text.replace("=", ":", 1), text + "\n\n" + text, "answer = " + text, text.replace(")", ",)", 1), text.replace("=", "=*", 1), text.replace(",", ",,", 1),
        "{" + text[1:-1] + "}", text[1:-1] + " // call", "/* call */ " + text, text.replace("\n", "\r\n"), text[:-1] + "]\n# that is all", text.replace(" ", "\u00a0", 1),
    ])


def plain_json(v):
    return str(v) if isinstance(v, Name) else [plain_json(e) for e in v] if isinstance(v, (list, tuple)) else \
        {str(k): plain_json(e) for k, e in v.items()} if isinstance(v, dict) else v


def json_calls(rng, calls):
    out = [{"name": n, "arguments": plain_json(a)} for n, a in calls]
    if rng.random() < 0.3:
        out = [{"name": c["name"], "arguments": json.dumps(c["arguments"])} for c in out]
    text = json.dumps(out[0] if len(out) == 1 and rng.random() < 0.2 else out, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.05:
        i = rng.randrange(len(text))
        text = text[:i] + text[i + 1:]
    return text


def answers(rng, item, n):
    """n different answers, the first of them right as a rule."""
    made = {}
    for k in range(n * 3):
        calls = [pick(rng, item, w) for w in item["ground_truth"]]
        changes = 0 if k == 0 else rng.choice([0, 1, 1, 1, 1, 2, 3])
        for _ in range(changes):
            if calls:
                calls = perturb(rng, item, calls)
        if item["rule"]["calling"]:
            if item["rule"]["underscores"] and rng.random() < 0.9:
                calls = [[c[0].replace(".", "_"), c[1]] for c in calls]
            if item["rule"]["language"] != "python" and rng.random() < 0.8:
                make = java if item["rule"]["language"] == "java" else script
                props = item["function"][0]["parameters"]["properties"]
                calls = [[c[0], {k: v if isinstance(v, str) else make(rng, v, props.get(k, {})) for k, v in c[1].items()}] for c in calls]
            text = json_calls(rng, calls)
        else:
            text = source(rng, item, calls)
            if rng.random() < 0.05:
                text = json.dumps([{"name": c[0], "arguments": plain_json(c[1])} for c in calls])
            if k > 0 and rng.random() < 0.3:
                text = wrapped(rng, text)
        made.setdefault(text)
        if len(made) == n:
            break
    return list(made)


def official_items():
    for category in AST:
        entries = load_dataset_entry(category, include_language_specific_hint=False)
        for e, t in zip(entries, load_ground_truth_entry(category), strict=True):
            for calling in (False, True):
                yield {"item": e["id"] + ("-calling" if calling else ""), "function": e["function"], "ground_truth": t["ground_truth"],
                       "rule": {"language": language(category), "matching": matching(category), "calling": calling, "underscores": calling}}


def write_verdicts(out, items, total, rng):
    items = list(items)
    counts, written = {True: 0, False: 0, None: 0}, 0
    # Java and JavaScript are few items with parsers of their own: more answers each.
    share = [8 if i["rule"]["language"] != "python" else 2 if i["rule"]["calling"] else 4 for i in items]
    for item, s in zip(items, share):
        out.write(json.dumps(item) + "\n")
        for a in answers(rng, item, max(1, round(total * s / sum(share)))):
            right, calls = verdict(item, a)
            counts[right] += 1
            written += 1
            out.write(json.dumps({"answer": a, "right": right, "calls": calls}) + "\n")
    print(f"{written} answers to {len(items)} items: {counts[True]} right, {counts[False]} wrong, {counts[None]} where the official program fails", file=sys.stderr)


def tools(functions):
    return convert_to_tool(functions, GORILLA_TO_OPENAPI, ModelStyle.OPENAI_COMPLETIONS)


def system(functions):
    return system_prompt_pre_processing_chat_model([{"role": "user", "content": "?"}], functions, "simple_0")[0]["content"]


def third(functions):
    """The system prompt of version 3 (bfcl-eval 2025.6.16), which version 4 keeps for reference."""
    return default_prompts._DEFAULT_SYSTEM_PROMPT.format(functions=functions)


def write_prompts(out):
    """Messages and tools of each item; none is ever refused by the benchmark."""
    for category in AST + RELEVANCE:
        for e in load_dataset_entry(category):
            messages = system_prompt_pre_processing_chat_model(copy.deepcopy(e["question"][0]), e["function"], e["id"])
            out.write(json.dumps({"id": e["id"], "messages": messages, "tools": tools(e["function"])}) + "\n")


def write_scores(out, rng, n=200):
    """Random scores, some categories left out, and the tables that the leaderboard script makes of them, before it rounds."""
    from bfcl_eval.constants.category_mapping import SINGLE_TURN_CATEGORY
    from bfcl_eval.eval_checker import eval_runner_helper as helper
    sizes = {c: len(load_dataset_entry(c, include_language_specific_hint=False)) for c in SINGLE_TURN_CATEGORY}
    tables = {}
    helper.load_dataset_entry = functools.cache(helper.load_dataset_entry)  # it is asked for the sizes again and again
    helper.write_score_csv_file = lambda data, file_path, header, *a, **kw: tables.update({os.path.basename(file_path): dict(zip(header, data[0]))})
    for k in range(n):
        correct = {c: rng.randrange(sizes[c] + 1) for c in SINGLE_TURN_CATEGORY if k < n // 10 or rng.random() < 0.8}
        scores = {c: {"accuracy": v / sizes[c], "total_count": sizes[c]} for c, v in correct.items()}
        with contextlib.redirect_stdout(io.StringIO()):
            helper.generate_leaderboard_csv({"prompting": copy.deepcopy(scores)}, helper.Path(tempfile.gettempdir()))
        overall, non_live = tables["data_overall.csv"], tables["data_non_live.csv"]
        out.write(json.dumps({"sizes": sizes, "correct": correct, "figures": {
            "v4 Overall Acc": overall["Overall Acc"], "v4 Non-Live AST Acc": non_live["Non-Live Overall Acc"],
            "v4 Live Acc": tables["data_live.csv"]["Live Overall Acc"], **third_figures(helper, scores, sizes),
            **{f"v4 {name}": overall[official] for name, official in [("Non-Live Simple AST", "Non-Live Simple AST"),
               ("Relevance Detection", "Relevance Detection"), ("Irrelevance Detection", "Irrelevance Detection")] if overall[official] != "N/A"},
        }}) + "\n")


def third_figures(helper, scores, sizes):
    """Version 3: generate_leaderboard_csv of bfcl-eval 2025.6.16, with the means of this version, which are the same."""
    def get(c):
        return {**scores.get(c, {"accuracy": 0, "total_count": sizes[c]}), "display_accuracy": 0}
    mean, pooled = helper.calculate_unweighted_accuracy, helper.calculate_weighted_accuracy
    simple = mean([get(c) for c in ("simple_python", "simple_java", "simple_javascript")])
    non_live = mean([simple] + [get(c) for c in ("multiple", "parallel", "parallel_multiple", "irrelevance")])
    live = pooled([get("live_" + c) for c in ("simple", "multiple", "parallel", "parallel_multiple", "irrelevance", "relevance")])
    turns = {"accuracy": 0, "total_count": 800, "display_accuracy": "N/A"}
    overall = mean([non_live, live, turns], display_na_if_category_missing=False)
    # Version 3 has two items fewer of live_irrelevance and two more of live_relevance: no matter where both were asked.
    exact = {"live_irrelevance", "live_relevance"} <= set(scores)
    return {"v3 Non-Live Acc": non_live["accuracy"], **({"v3 Live Acc": live["accuracy"], "v3 Overall Acc": overall["accuracy"]} if exact else {})}


def golden():
    folder = os.path.join(here, "..", "eval", "bfcl", "testdata")
    with open(os.path.join(folder, "items.jsonl")) as f:
        items = [json.loads(line) for line in f]
    expanded = []
    for i in items:
        for calling in (False, True):
            expanded.append({**i, "item": i["item"] + ("-calling" if calling else ""), "rule": {**i["rule"], "calling": calling, "underscores": calling}})
    with open(os.path.join(folder, "verdicts.jsonl"), "w") as out:
        write_verdicts(out, expanded, 1500, random.Random(1))
    with open(os.path.join(folder, "prompts.jsonl"), "w") as out:
        for i in items:
            category = {"python": "simple", "java": "simple_java", "javascript": "simple_javascript"}[i["rule"]["language"]]
            functions = _func_doc_language_specific_pre_processing(copy.deepcopy(i["function"]), category)
            out.write(json.dumps({"item": i["item"], "system": system(functions), "third": third(functions), "tools": tools(functions)}) + "\n")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("what", choices=["verdicts", "prompts", "scores", "folder", "golden"])
    a.add_argument("out", nargs="?")
    a.add_argument("--answers", type=int, default=40000)
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    if o.what == "golden":
        return golden()
    with open(o.out, "w") as out:
        if o.what == "verdicts":
            write_verdicts(out, official_items(), o.answers, random.Random(o.seed))
        elif o.what == "prompts":
            write_prompts(out)
        elif o.what == "folder":
            out.write(str(PROMPT_PATH))
        else:
            write_scores(out, random.Random(o.seed))


if __name__ == "__main__":
    main()
