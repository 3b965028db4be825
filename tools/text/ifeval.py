"""Invented responses to IFEval's instructions, judged by lm-eval's tasks/ifeval (google-research's functions)."""

import importlib.util
import pathlib
import sys
import types

import invented
import nltk_model

WORDS = """the a ferry harbour lamp I we she they he it Monday may May river stone keys open closes slowly Anna however but if According
according However early never bright river-side cannot gonna GONNA don't DON'T it's we'll 'tis rock'n'roll NASA USA THE OK o'clock
naïve straße Ünder ÉCLAIR ﬁn ǅ Ⅷ""".split()
ABBREVIATIONS = "Mr. Dr. U.S. e.g. i.e. etc. St. vs. No. J. A. b. p.m. a.m. Inc. Sept. Jan. Ph.D. fig. approx. non-U.S. co. .".split()
NUMBERS = "3 3.14 1,000 12. 1. -5 5: 1980. 2. ½ ٣ 3.. 1,000.".split()
ENDS = [".", ".", ".", ".", "!", "?", "...", "?!", ".\"", ".)", "!'", ".”", "…", "", " .", ". . .", ".]", ".--", ";", ":", "!!!", ".»", ".*"]
STARTS = [""] * 12 + ['"', "(", "'", "“", "«", "[", "``", "''", "--", "- ", "* "]
GAPS = [" "] * 14 + ["  ", "\n", "\n\n", "\t", "\u00a0", "", "\n* ", "\n- ", "\n\n***\n\n", " *** ", "\r\n", "\u2003", "\x1c", "\u200d"]
BLOCKS = [
    "<<A title>>", "<< >>", "<<>>", "[name]", "[address line]", "[]", "*bold*", "**very bold**", "* *", "****", "***", "******", "\n******\n",
    "SECTION 1", "Section 2\n", "section 3", "SECTION٣", "Day 1", "P.S. more", "p.p.s. yet more", "P. S. x", "P.P.S", "My answer is yes.", "My answer is maybe",
    "* point", "- point", "\n  * point", "\n- point\n", "**not a point", "Any other questions?", '"quoted"', "harbour", "Harbour", "lamp lamp", "İstanbul", "Kelvin K",
]
LANGUAGES = {
    "de": "der Hafen ist heute offen und das Schiff fährt um neun nicht weil ein Sturm kommt".split(),
    "fr": "le port est ouvert et le bateau ne part pas à neuf heures parce que une tempête arrive".split(),
    "es": "el puerto está abierto hoy y el barco no sale a las nueve porque viene una tormenta".split(),
    "en": "the harbour is open today and the ferry does not leave at nine because a storm is coming".split(),
    "sw": "bandari iko wazi leo na meli haiondoki saa tatu kwa sababu dhoruba inakuja".split(),
    "vi": "bến cảng hôm nay mở cửa và tàu không rời đi lúc chín giờ vì bão đang đến".split(),
}
SCRIPTS = {"ru": "cyrillic", "ar": "arabic", "hi": "devanagari", "th": "thai", "ko": "hangul", "ja": "han"}


def sentence(rng):
    words = []
    for _ in range(rng.randint(1, 9)):
        kind = rng.random()
        w = rng.choice(ABBREVIATIONS if kind < 0.12 else NUMBERS if kind < 0.2 else WORDS)
        words.append(w.upper() if rng.random() < 0.05 else w.title() if rng.random() < 0.1 else w)
        if rng.random() < 0.08:
            words[-1] += rng.choice([",", ";", ":", "--", "—", ",\n", ".5", "@x", "..", "'"])
    return rng.choice(STARTS) + " ".join(words) + rng.choice(ENDS)


def prose(rng):
    return "".join(sentence(rng) + rng.choice(GAPS) for _ in range(rng.randint(1, 6)))


def foreign(rng):
    language = rng.choice(list(LANGUAGES) + list(SCRIPTS))
    if language in LANGUAGES:
        text = " ".join(rng.choice(LANGUAGES[language]) for _ in range(rng.randint(1, 30)))
    else:
        text = " ".join(invented.word(rng, SCRIPTS[language]) for _ in range(rng.randint(1, 20)))
    return rng.choice([str, str.upper, str.lower, str.capitalize])(text) + rng.choice(["", ".", " 5", " http://example.org/x?y=1 a@b.org"])


def json_text(rng):
    value = rng.choice(['{"a": [1, 2.5, -3e4]}', "[]", '"text"', "NaN", "[-Infinity, 1]", "-NaN", "{'a': 1}", "{", '{"a": 1,}', '"\\ud800"', '"a\tb"', "1 2", "nul", "null", "01", '{"a": NaN1}', "\ufeff1"])
    return rng.choice(["", "```json\n", "```JSON", "```", "Here: "]) + value + rng.choice(["", "\n```", "```", "\n"])


def response(rng):
    kind = rng.random()
    if kind < 0.2:
        text = foreign(rng)
    elif kind < 0.26:
        text = json_text(rng)
    elif kind < 0.28:
        text = rng.choice(["", " ", "\n", "1234", "?!", "***", "\n\n"])
    else:
        parts = [rng.choice(BLOCKS) if rng.random() < 0.4 else prose(rng) for _ in range(rng.randint(1, 6))]
        text = rng.choice([" ", "\n", "\n\n", ""]).join(parts)
        text = rng.choice([str, str, str, str, str, str.upper, str.lower])(text)
    if rng.random() < 0.15:
        text = '"' + text + rng.choice(['"', '" ', ""])
    if rng.random() < 0.2:
        text = rng.choice(["Sure!\n", "Here it is:\n\n", "\n"]) + text
    if rng.random() < 0.2:
        text += rng.choice(["\nIs there more?", "\n\nP.S. Bye", "\n*"])
    return text


def helped(rng, name, answer):
    """answer, changed so that it may follow the instruction."""
    some = lambda texts: rng.choice([" ", "\n", "\n\n"]).join(rng.choice(texts) for _ in range(rng.randint(1, 4)))
    add = {
        "detectable_content:number_placeholders": ["[name]", "[date] [place]"],
        "detectable_content:postscript": ["P.S. more", "p. s. more", "P.P.S more", "p. p.s", "ps: x"],
        "detectable_format:constrained_response": ["My answer is yes.", "My answer is no.", "My answer is maybe.", "my answer is no."],
        "detectable_format:number_bullet_lists": ["\n* point", "\n- point", "  * point\n- point"],
        "detectable_format:number_highlighted_sections": ["*bold*", "**bold**", "* *"],
        "detectable_format:multiple_sections": ["Section 1", "SECTION 2", "Day 3", "section4"],
        "detectable_format:title": ["<<A title>>", "<<  >>", "<<<x>>"],
        "length_constraints:number_paragraphs": ["one *** two", "***", "one\n***\ntwo"],
        "keywords:frequency": ["lamp", "Lamp harbour"],
    }
    if name in add:
        return answer + "\n" + some(add[name])
    if name == "change_case:english_lowercase":
        return " ".join(rng.choice(LANGUAGES["en"]) for _ in range(rng.randint(1, 30))) + rng.choice(["", "", " Ab", " ǆ", " 5"])
    if name == "change_case:english_capital":
        return helped(rng, "change_case:english_lowercase", answer).upper() + rng.choice(["", "", "a", "ǅ"])
    if name == "combination:two_responses":
        return rng.choice(["", "******"]) + rng.choice(["one", " two "]) + "******" + rng.choice(["two", "one", "\n"]) + rng.choice(["", "\n******", "******x"])
    if name == "detectable_format:json_format":
        return json_text(rng)
    if name == "language:response_language":
        return foreign(rng)
    if name == "startend:quotation":
        return rng.choice(['"', "", " \""]) + answer + rng.choice(['"', "", '"\n'])
    return answer


def relation(rng):
    return rng.choice(["less than", "at least"])


def instruction(rng, name, prompt, answer):
    """The arguments of an instruction, such that the answer may well follow it."""
    words = [w for w in answer.split() if w.isalpha() and w.isascii()] or ["lamp"]
    number = lambda most: rng.randint(1, most)
    return {
        "keywords:existence": lambda: {"keywords": [rng.choice(words).lower(), rng.choice(words + ["lamp"])]},
        "keywords:frequency": lambda: {"keyword": keyword(rng, words), "frequency": number(3), "relation": relation(rng)},
        "keywords:forbidden_words": lambda: {"forbidden_words": [rng.choice(words)[: rng.choice([2, 99])], rng.choice(["lamp", "ship", "naïv"])]},
        "keywords:letter_frequency": lambda: {"letter": rng.choice("aeikKst"), "let_frequency": number(20), "let_relation": relation(rng)},
        "language:response_language": lambda: {"language": likely_language(rng, answer)},
        "length_constraints:number_sentences": lambda: {"num_sentences": number(12), "relation": relation(rng)},
        "length_constraints:number_paragraphs": lambda: {"num_paragraphs": number(3)},
        "length_constraints:number_words": lambda: {"num_words": number(60), "relation": relation(rng)},
        "length_constraints:nth_paragraph_first_word": lambda: first_word(rng, answer),
        "detectable_content:number_placeholders": lambda: {"num_placeholders": number(2)},
        "detectable_content:postscript": lambda: {"postscript_marker": rng.choice(["P.S.", "P.P.S", "PS:"])},
        "detectable_format:number_bullet_lists": lambda: {"num_bullets": number(3)},
        "detectable_format:number_highlighted_sections": lambda: {"num_highlights": number(3)},
        "detectable_format:multiple_sections": lambda: {"section_spliter": rng.choice(["Section", "SECTION", "Day", "section"]), "num_sections": number(2)},
        "combination:repeat_prompt": lambda: {"prompt_to_repeat": rng.choice([prompt, answer[: number(20)] or "x"]).strip() or "x"},
        "startend:end_checker": lambda: {"end_phrase": rng.choice(["Any other questions?", answer.strip()[-9:] or "x", "bye"])},
        "change_case:capital_word_frequency": lambda: {"capital_frequency": number(9), "capital_relation": relation(rng)},
    }.get(name, dict)()


def likely_language(rng, answer):
    import langdetect
    from lm_eval.tasks.ifeval.instructions_util import LANGUAGE_CODES

    try:
        found = langdetect.detect(answer)
    except langdetect.LangDetectException:
        return "en"
    return found if found in LANGUAGE_CODES and rng.random() < 0.5 else rng.choice(list(LANGUAGES) + list(SCRIPTS))


def keyword(rng, words):
    return rng.choice(words + ["lamp", "harbour"])


def first_word(rng, answer):
    paragraphs = [p for p in answer.split("\n\n") if p.strip()] or ["x"]
    count = max(1, len(paragraphs) + rng.choice([0, 0, 0, 1, -1]))
    nth = rng.randint(1, count)
    word = paragraphs[min(nth, len(paragraphs)) - 1].split()[0]
    return {"num_paragraphs": count, "nth_paragraph": nth, "first_word": rng.choice([word, word.strip(".,?!'\"") or "x"])}


def official():
    """lm_eval.tasks.ifeval without the packages above it, which import all of lm-eval and what that needs."""
    folder = pathlib.Path(importlib.util.find_spec("lm_eval").origin).parent
    for name in ("lm_eval", "lm_eval.tasks", "lm_eval.tasks.ifeval"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    from lm_eval.tasks.ifeval import instructions_registry, utils

    return instructions_registry, utils


def lines(rng, count):
    nltk_model.install()
    import logging

    import langdetect

    logging.disable(logging.ERROR)  # one for each text without letters
    instructions_registry, utils = official()

    langdetect.DetectorFactory.seed = 0
    names = list(instructions_registry.INSTRUCTION_DICT)
    for i in range(count):
        prompt, answer = "Write about a harbour.", response(rng)
        if rng.random() < 0.5:
            answer = helped(rng, names[i % len(names)], answer)
        if rng.random() < 0.1:
            answer = prompt + " " + answer
        chosen = [names[i % len(names)]] + rng.sample(names, rng.choice([0, 0, 1, 2]))
        kwargs = [instruction(rng, n, prompt, answer) for n in chosen]
        example = utils.InputExample(key=i, instruction_id_list=chosen, prompt=prompt, kwargs=kwargs)
        yield {
            "instructions": [{"id": n, **k} for n, k in zip(chosen, kwargs)],
            "answer": answer,
            "strict": utils.test_instruction_following_strict(example, answer).follow_instruction_list,
            "loose": utils.test_instruction_following_loose(example, answer).follow_instruction_list,
        }
