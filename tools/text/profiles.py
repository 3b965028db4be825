"""Writes eval/internal/langdetect/profiles.json.gz: the figures of langdetect 1.0.9 (how often each n-gram of letters
occurs in 55 languages, and which letters count as one), Apache-2.0, as one table for the Go port to load.

    python tools/text/profiles.py
"""

import gzip
import json
import pathlib

import langdetect
from langdetect.utils import ngram


def main():
    profiles = []
    for path in sorted((pathlib.Path(langdetect.__file__).parent / "profiles").iterdir()):
        p = json.loads(path.read_text(encoding="utf-8"))
        profiles.append({"name": p["name"], "n_words": p["n_words"], "freq": dict(sorted(p["freq"].items()))})
    grams = ngram.NGram
    table = {
        "profiles": profiles,
        "same_han": grams.CJK_CLASS,
        "no_letters": grams.LATIN1_EXCLUDED,
        "vietnamese": {"bare": grams.TO_NORMALIZE_VI_CHARS, "marks": grams.DMARK_CLASS, "joined": grams.NORMALIZED_VI_CHARS},
    }
    out = pathlib.Path(__file__).parents[2] / "eval" / "internal" / "langdetect" / "profiles.json.gz"
    out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    out.write_bytes(gzip.compress(text, 9, mtime=0))


if __name__ == "__main__":
    main()
