"""Prints what Optuna makes of a journal, as JSON: journal.py JOURNAL

One trial more is asked for and given the scores 0 of the best trial's items, as a candidate that fails would have them;
WilcoxonPruner says whether it would stop it.
"""

import json
import sys
import warnings

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

warnings.simplefilter("error")
warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
optuna.logging.set_verbosity(optuna.logging.WARNING)


def shown(trial):
    return {
        "number": trial.number,
        "state": trial.state.name,
        "value": trial.value,
        "params": trial.params,
        "intermediate": {str(k): v for k, v in trial.intermediate_values.items()},
        "user": trial.user_attrs,
        "start": trial.datetime_start.isoformat(timespec="microseconds"),
        "complete": trial.datetime_complete and trial.datetime_complete.isoformat(timespec="microseconds"),
    }


def prunes(study, scores):
    trial = study.ask(next(iter(study.trials)).distributions)
    for step in study.best_trial.intermediate_values:
        trial.report(scores(step), step)
    frozen = study._storage.get_trial(trial._trial_id)
    return optuna.pruners.WilcoxonPruner(p_threshold=0.1).prune(study, frozen)


storage = JournalStorage(JournalFileBackend(sys.argv[1]))
name = optuna.get_all_study_names(storage)[0]
study = optuna.load_study(study_name=name, storage=storage)
best = study.best_trial
out = {
    "version": optuna.__version__,
    "study": name,
    "directions": [d.name for d in study.directions],
    "metrics": study.metric_names,
    "attributes": study.user_attrs,
    "best": shown(best),
    "trials": [shown(t) for t in study.trials],
}
out["prunes_worse"] = bool(prunes(study, lambda step: 0.0))
out["prunes_equal"] = bool(prunes(study, lambda step: best.intermediate_values[step]))
json.dump(out, sys.stdout, allow_nan=False)
