"""Tune: search values on validation data, and run the best for the test; for `recexp tune` and Python alike."""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

from recexp import config
from recexp.config.experiments import experiment
from recexp.datasets.base import Source
from recexp.errors import IncompatibleError
from recexp.functions import html
from recexp.functions.finished import FinishedRun
from recexp.metric_names import pretty
from recexp.runners.base import Objective
from recexp.runners.driver import run_experiment
from recexp.runners.result import RunResult
from recexp.tracking.tags import TEST
from recexp.tuning.job import TuningJob, attach_study, jobs_of
from recexp.tuning.overrides import overrides
from recexp.tuning.study import Study
from recexp.tuning.study_report import table

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tuned:
    """A tuning that has ended: its study, the run of the best values, and the evaluations of the same final part."""

    study: Study
    run: RunResult
    subject: tuple[str, ...]
    test: str
    evaluations: int


def open_study(job: TuningJob) -> tuple[Study, Objective]:
    """Return a job's study and what it improves; a store that cannot be written is found out before the work."""
    with job.experiment.tracking.open():
        objective = job.objective()
        return job.study(objective), objective


def tune_job(job: TuningJob, study: Study, objective: Objective) -> Tuned:
    """Search, then run the best values on the final part, unless a run of them is there."""
    test, search, subject = objective.identity.tags[TEST], job.digest(objective), job.experiment.runner.subject
    job.run(study, objective)
    del objective
    best = study.best
    log.info("study %s: trial %d is the best; running it on the test", study.name, best.number)
    cfg = config.compose([*job.words, *overrides(best.params, subject)])
    tuned = experiment(cfg, tags={"tuning": study.name}, source=job.source)
    (result,) = run_experiment(replace(tuned, resume=True))
    attach_study(job, study, search, result.run_id)
    with job.experiment.tracking.open() as store:
        return Tuned(study, result, subject, test, store.count_evaluations(test))


@dataclass(frozen=True, repr=False)
class TunedRun:
    """The best of a search.

    Attributes
    ----------
    run : of the best values, judged on the test.
    best : these values, by name.
    metric, value : what they were chosen by on the validation part, and what they reached there.
    evaluations : how often this test has been evaluated in the store.
    """

    run: FinishedRun
    best: dict[str, Any]
    metric: str
    value: float
    evaluations: int
    _trials: str

    def to_frame(self) -> "pd.DataFrame":
        """Return a row a trial: state, value on the validation part, seconds, the values tried."""
        import pandas as pd

        return pd.read_csv(io.StringIO(self._trials))

    def __repr__(self) -> str:
        return f"TunedRun({self._values}: {pretty(self.metric)} {self.value:.4f} on validation, {self.run!r})"

    def _repr_html_(self) -> str:
        chosen = f"{pretty(self.metric)} {self.value:.4f} on validation"
        found = f"best of {len(self.to_frame())} trials: {self._values} ({chosen})"
        return f"<p>{escape(found)}</p>{self.run._repr_html_()}"

    @property
    def _values(self) -> str:
        return ", ".join(f"{name}={html.cell(value)}" for name, value in self.best.items())


def tune(words: Sequence[str], source: Source | None) -> list[TunedRun]:
    """Tune each algorithm that the words name; one that the data do not suit is left out, unless it is the only one."""
    jobs, left_out = jobs_of(words, source=source)
    for name, reason in left_out.items():
        log.warning("skipped: %s: %s", name, reason)
    found = []
    for job in jobs:
        try:
            done = tune_job(job, *open_study(job))
        except IncompatibleError as error:
            if len(jobs) == 1:
                raise
            log.warning("incompatible: %s", error)
            continue
        best, study = done.study.best, done.study
        run = FinishedRun.of(done.run, job.experiment)
        found.append(TunedRun(run, dict(best.params), study.metric, best.value, done.evaluations, table(study)))
    return found
