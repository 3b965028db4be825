"""Optuna's samplers and the cmaes package on the problems of `soup bench search`, with its items.

    python tools/search/anchors.py [--soup bin/soup] [--problem grid --grid DIR] [--samplers tpe,cmaes,...]

soup answers through a pipe, so there is one emulator. The parents and the uniform soup are asked first and count. What a
sampler would deliver is the soup with the best score. Prints a table in Markdown: regret in points, median (quartiles).

Optuna searches a number from 0 to 1 for each parent, of which -log is taken and divided by the sum: uniform numbers are
uniform over the simplex. cmaes searches the plane of weights with the right sum, as soup's does; what lands outside is
tried at the nearest point within.
"""

import argparse
import json
import subprocess
import warnings

import numpy as np

SAMPLERS = ["random", "tpe", "cmaes", "gp", "cmaes-package"]


class Emulator:
    def __init__(self, a):
        command = [a.soup, "bench", "search", "--answers", "--problems", a.problem, "--items", str(a.items)]
        command += ["--grid", a.grid] if a.grid else []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.parents = self.ask(0)["parents"]

    def ask(self, seed, weights=()):
        self.process.stdin.write(json.dumps({"seed": seed, "weights": list(map(float, weights))}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Run:
    """One seed: what was asked so far, and the regret of the best at every number of evaluations."""

    def __init__(self, emulator, seed):
        self.emulator, self.seed, self.top, self.regrets = emulator, seed, -1.0, []
        n = emulator.parents
        for weights in [*np.eye(n), np.full(n, 1 / n)]:
            self.score(weights)

    def score(self, weights):
        answer = self.emulator.ask(self.seed, weights)
        better = answer["score"] > self.top
        self.regrets.append(answer["regret"] if better else self.regrets[-1])
        self.top = max(self.top, answer["score"])
        return answer["score"]


def optuna_run(run, name, last):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    make = {
        "random": lambda s: optuna.samplers.RandomSampler(seed=s),
        "tpe": lambda s: optuna.samplers.TPESampler(seed=s, multivariate=True),
        "cmaes": lambda s: optuna.samplers.CmaEsSampler(seed=s),
        "gp": lambda s: optuna.samplers.GPSampler(seed=s),
    }[name]
    n = run.emulator.parents
    study = optuna.create_study(direction="maximize", sampler=make(run.seed))

    def objective(trial):
        e = -np.log([max(1e-9, trial.suggest_float(f"u{i}", 0, 1)) for i in range(n)])
        return run.score((e + 1e-12) / (e + 1e-12).sum())

    study.optimize(objective, n_trials=last - len(run.regrets))


def contrasts(n):
    """Helmert's orthonormal contrasts: a basis of the plane of weights with sum 0."""
    rows = [[1.0] * i + [-float(i)] + [0.0] * (n - i - 1) for i in range(1, n)]
    return np.array([np.array(r) / np.linalg.norm(r) for r in rows])


def project(w):
    """The nearest point of the simplex (Held, Wolfe and Crowder 1974)."""
    u = np.sort(w)[::-1]
    sums = (np.cumsum(u) - 1) / np.arange(1, len(w) + 1)
    return np.maximum(0, w - sums[np.nonzero(u > sums)[0][-1]])


def package_run(run, last):
    import cmaes

    n = run.emulator.parents
    plane = contrasts(n)
    optimiser = cmaes.CMA(mean=np.zeros(n - 1), sigma=1 / 6, seed=run.seed)
    while len(run.regrets) < last:
        told = []
        for _ in range(optimiser.population_size):
            x = optimiser.ask()
            told.append((x, -run.score(project(1 / n + x @ plane))))
        optimiser.tell(told)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--soup", default="bin/soup")
    p.add_argument("--problem", default="inside")
    p.add_argument("--grid", default="")
    p.add_argument("--samplers", default=",".join(SAMPLERS))
    p.add_argument("--seeds", type=int, default=20)
    p.add_argument("--items", type=int, default=150)
    p.add_argument("--evaluations", default="10,15,30,60")
    a = p.parse_args()
    warnings.simplefilter("ignore")
    marks = [int(m) for m in a.evaluations.split(",")]
    emulator = Emulator(a)
    print(f"| {a.problem} | " + " | ".join(map(str, marks)) + " |\n|" + "---|" * (len(marks) + 1))
    for name in a.samplers.split(","):
        table = []
        for seed in range(a.seeds):
            run = Run(emulator, seed)
            package_run(run, marks[-1]) if name == "cmaes-package" else optuna_run(run, name, marks[-1])
            table.append([run.regrets[m - 1] for m in marks])
        q = np.quantile(np.array(table), [0.5, 0.25, 0.75], axis=0)
        print(f"| {name} | " + " | ".join(f"{m:.2f} ({l:.2f}-{h:.2f})" for m, l, h in q.T) + " |", flush=True)
    emulator.close()


if __name__ == "__main__":
    main()
