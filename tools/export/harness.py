"""Reads a directory that soup export --lm-eval wrote with lm-evaluation-harness' own functions: harness.py DIR

Prints, as JSON, its table of results, and of every file of samples the task, the time, the number of lines and the mean
of the metric.
"""

import json
import pathlib
import sys

from lm_eval.utils import (
    get_file_datetime,
    get_file_task_name,
    get_results_filenames,
    get_sample_results_filenames,
    hash_string,
    make_table,
)

names = [str(p) for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file()]
(aggregated,) = get_results_filenames(names)
results = json.loads(pathlib.Path(aggregated).read_text())
tasks = {}
for name in get_sample_results_filenames(names):
    file = pathlib.Path(name)
    task = get_file_task_name(file.name)
    samples = [json.loads(line) for line in file.read_text().splitlines()]
    (metric,) = samples[0]["metrics"]
    hashes = "".join(s["doc_hash"] + s["prompt_hash"] + s["target_hash"] for s in samples)
    for s in samples:
        doc = hash_string(json.dumps(s["doc"], indent=2, ensure_ascii=False))
        assert s["doc_hash"] == doc, (name, s["doc_id"])
    tasks[task] = {
        "time": get_file_datetime(file.name),
        "n": len(samples),
        "mean": sum(s[metric] for s in samples) / len(samples),
        "reported": results["results"][task][metric + ",none"],
        "hash": results["task_hashes"][task] == hash_string(hashes),
    }
json.dump({"table": make_table(results), "tasks": tasks}, sys.stdout)
