"""Reports of a study: a one-sentence summary, a table of trials, and the data of its plots."""

import csv
import io
import logging
import warnings
from typing import TYPE_CHECKING, Any

from recexp.spreadsheets import harmless

if TYPE_CHECKING:
    from recexp.tuning.study import Study

log = logging.getLogger(__name__)


def summary(study: "Study") -> str:
    """Return one sentence that says how the values were found."""
    ended, best = study.trials, study.best
    states = [trial.state.name for trial in ended]
    lost = "".join(f", {states.count(s)} {s.lower()}" for s in ("PRUNED", "FAIL") if s in states)
    return (
        f"Tuned: the best of {len(ended)} trials{lost} by {study.part}/{study.metric} ({best.value:.4f}), without "
        f"access to the final part; study `{study.name}`, files in `tuning/`."
    )


def table(study: "Study") -> str:
    """Return the finished trials as csv: number, state, value, seconds, the values tried, and the error.

    Only complete trials have a value: an intermediate value of a pruned trial is not a result.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["trial", "state", f"{study.part}/{study.metric}", "seconds", *study.space, "error"])
    for number, trial in enumerate(study.trials, 1):
        value = trial.value if trial.state.name == "COMPLETE" else None
        seconds = 0.0 if trial.duration is None else trial.duration.total_seconds()
        row = [number, trial.state.name.lower(), value, f"{seconds:.3f}"]
        row += [*(trial.params.get(name) for name in study.space), trial.user_attrs.get("error")]
        writer.writerow(map(harmless, row))
    return out.getvalue()


def plot_data(study: "Study") -> dict[str, Any]:
    """Return the data that `recexp.tuning.study_plots` draws."""
    ended = [*enumerate(study.trials, 1)]
    done = [(n, trial) for n, trial in ended if trial.state.name == "COMPLETE"]
    return {
        "metric": study.metric,
        "higher_is_better": study.higher_is_better,
        "trials": [{"number": n, "value": trial.value, "params": trial.params} for n, trial in done],
        "pruned": [n for n, trial in ended if trial.state.name == "PRUNED"],
        "log": [name for name, dimension in study.space.items() if getattr(dimension, "log", False)],
        "importance": _importance(study),
    }


def _importance(study: "Study") -> dict[str, float]:
    """Return the importance of each field by PED-ANOVA (Watanabe et al., IJCAI 2023); {} with too few trials."""
    from optuna.importance import get_param_importances

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*too small")  # all would be said to matter alike
            warnings.filterwarnings("ignore", message="Target and region quantiles select the same set of trials")
            return dict(get_param_importances(study.optuna))
    except (ValueError, RuntimeError, UserWarning) as error:
        log.debug("importance of parameters: %s", error)
        return {}
