"""Scores invented answers with the official functions of text benchmarks, for eval's tests to compare with.

    text_metrics.py golden                        rewrites eval/testdata/{translation,infinitebench,ifeval}.jsonl
    text_metrics.py translation [--count N]       the same lines on stdout, for `make agree-text`
    text_metrics.py infinitebench [--count N]     needs SOUP_INFINITEBENCH=PATH of a checkout of OpenBMB/InfiniteBench
    text_metrics.py ifeval [--count N]

What is scored is drawn from Unicode and from invented words with a fixed seed. Official are sacrebleu 2.6.0,
InfiniteBench's src/compute_scores.py at 88b3daa and lm-eval 0.4.13's tasks/ifeval with nltk 3.10.4 and langdetect 1.0.9,
seeded with 0 (it draws at random otherwise). tools/text/python.sh makes an environment that has them.
"""

import argparse
import json
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "text"))

FAMILIES = ("translation", "infinitebench", "ifeval")
GOLDEN = {"translation": 48, "infinitebench": 110, "ifeval": 225}


def lines(family, count, seed):
    module = __import__(family)
    return module.lines(random.Random(f"{family}-{seed}"), count)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("golden",) + FAMILIES)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.what != "golden":
        for line in lines(args.what, args.count, args.seed):
            print(json.dumps(line, ensure_ascii=True))
        return
    data = pathlib.Path(__file__).parent.parent / "eval" / "testdata"
    for family in FAMILIES:
        if family == "infinitebench" and not os.environ.get("SOUP_INFINITEBENCH"):
            print("infinitebench.jsonl is left as it is: SOUP_INFINITEBENCH is not set", file=sys.stderr)
            continue
        with open(data / f"{family}.jsonl", "w") as out:
            for line in lines(family, GOLDEN[family], 0):
                out.write(json.dumps(line, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
