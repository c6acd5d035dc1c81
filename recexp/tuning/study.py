"""Study: the trials of one algorithm on one protocol, stored in a file so that the same command resumes them."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp.errors import ConfigError, RecexpError
from recexp.identity import digest
from recexp.params import describe
from recexp.rng import generator
from recexp.tuning import foreign_trials
from recexp.tuning.base import Tuning
from recexp.tuning.samplers import SAMPLERS
from recexp.tuning.space import Dimension, Value, grid_points, grid_size
from recexp.tuning.storage import gone, open_study, this_process

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

log = logging.getLogger(__name__)

MAX_GRID = 1_000_000


class Pruned(BaseException):
    """Raised inside a trial that is stopped because others were better at the same step.

    It is not a failure: models that tolerate failing parts (`except Exception`) must not catch it.
    """


@dataclass(frozen=True)
class Best:
    """The best trial: its number among the finished ones, from 1, its values and its metric."""

    number: int
    params: dict[str, Value]
    value: float


class Study:
    """Proposes the values of trials (`ask`) and records their results (`tell`).

    The yaml's values come first. A trial whose process was killed is repeated. The next values depend only on the seed
    and the finished trials, so an interrupted study continues as if it had not been interrupted.

    Parameters
    ----------
    tuning : settings of the search.
    file : the SQLite file of all studies.
    name : name of the subject.
    space : dimensions by dotted field name.
    defaults : the yaml's values, tried first, for fields whose dimension contains them.
    content : plain data of everything else that trials depend on (data, split, other values, metric).
    part, metric, higher_is_better : part and name of the objective's metric, and its direction.
    seed : seed of the sampler.

    The attribute `optuna` is the Optuna study.

    Raises ConfigError if a study of the same name has other dimensions or content, or if the grid is too large;
    StoreError if the file cannot be used.
    """

    def __init__(
        self,
        tuning: Tuning,
        file: Path,
        *,
        name: str,
        space: Mapping[str, Dimension],
        defaults: Mapping[str, Value],
        content: Mapping[str, Any],
        part: str,
        metric: str,
        higher_is_better: bool,
        seed: int,
    ) -> None:
        self.tuning, self.space, self.seed = tuning, dict(space), seed
        self.part, self.metric, self.higher_is_better = part, metric, higher_is_better
        self.total = tuning.trials
        whole = {**content, "metric": metric, "space": {name: describe(dimension) for name, dimension in space.items()}}
        if tuning.sampler == "grid":
            whole["grid"] = tuning.grid_points  # a grid ends with its points: other trials would use up their number
        self.digest = digest(whole)
        self.name = tuning.study or f"{name}-{self.digest[:10]}"
        size = grid_size(space, tuning.grid_points)
        few = size <= tuning.trials and all(dimension.listed for dimension in space.values())
        self._by_grid = tuning.sampler == "grid" or few  # repeating a value gives no information
        if self._by_grid:
            if size > MAX_GRID:
                raise ConfigError(f"tuning.sampler=grid: the grid has {size:,} points; lower tuning.grid_points")
            points = {name: one.grid(tuning.grid_points) for name, one in space.items()}
            beside = bool(defaults) and any(defaults.get(name) not in points[name] for name in space)
            self.total = min(self.total, size + beside)  # the yaml's values are tried too, though not on the grid
        prune_after = tuning.pruning_after if tuning.pruning else None
        self.optuna = open_study(file, self.name, higher_is_better=higher_is_better, prune_after=prune_after)
        self._check_same({key: digest(value) for key, value in whole.items()})
        self._begin = time.monotonic()
        self._retry()
        foreign_trials.log_foreign(self.name, self._all(), total=self.total)
        if not self.optuna.trials and defaults:
            self._enqueue(defaults)

    def ask(self) -> "Trial | None":
        """Return a trial with its values in `params`, or None if there are enough trials or time is up."""
        states = [trial.state.name for trial in self._all()]
        number = len(self.trials) + states.count("RUNNING") - len(foreign_trials.lost(self._all()))
        late = self.tuning.timeout is not None and time.monotonic() - self._begin > self.tuning.timeout
        if late or number >= self.total:
            return None
        self.optuna.sampler = self._sampler(number)
        if "WAITING" not in states:
            self._enqueue(self._next_of_grid() if self._by_grid else {})
        trial = self.optuna.ask({name: dimension.distribution() for name, dimension in self.space.items()})
        trial.set_user_attr("worker", this_process())
        return trial

    def tell(self, trial: "Trial", value: float | None, error: str = "", *, pruned: bool = False) -> None:
        """Record a trial's value; without a value it was pruned, or failed for the reason `error`."""
        from optuna.trial import TrialState

        if value is not None:
            self.optuna.tell(trial, value)
        else:
            trial.set_user_attr("error", error)
            self.optuna.tell(trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)
        self._log_end(trial.number, error)

    def run(self, make: Callable[[Mapping[str, Value]], Any], objective: Callable[..., float]) -> None:
        """Run trials in this process until `ask` returns None; a failure ends only its own trial."""
        while (trial := self.ask()) is not None:

            def report(step: int, values: Mapping[str, float], trial: "Trial" = trial) -> None:
                if "validation" in values:
                    trial.report(values["validation"], step)
                    if trial.should_prune():
                        raise Pruned

            try:
                value, error, pruned = objective(make(trial.params), report), "", False
            except Pruned:
                value, error, pruned = None, "", True
            except Exception as problem:  # a model may fail in any way
                value, error, pruned = None, f"{type(problem).__name__}: {problem}", False
            self.tell(trial, value, error, pruned=pruned)

    @property
    def trials(self) -> "list[FrozenTrial]":
        """The finished trials that count: complete, pruned, or failed with an error of their own."""
        killed = self.optuna.user_attrs.get("killed", [])
        return [t for t in self._all() if t.state.is_finished() and t.number not in killed]

    @property
    def best(self) -> Best:
        """The best trial; raises RecexpError if no trial has a value."""
        ended = self.trials
        done = [trial for trial in ended if trial.state.name == "COMPLETE"]
        if not done:
            reasons = [trial.user_attrs["error"] for trial in ended if trial.user_attrs.get("error")]
            reasons += [
                f"{foreign_trials.origin(trial)} and has not finished" for trial in foreign_trials.foreign(self._all())
            ]
            raise RecexpError(
                f"study {self.name}: no trial returned a value; the first: {next(iter(reasons), 'none ran')}"
            )
        sign = -1 if self.higher_is_better else 1
        value, _, best = min((sign * _value(trial), trial.number, trial) for trial in done)
        return Best([trial.number for trial in ended].index(best.number) + 1, dict(best.params), sign * value)

    def _sampler(self, number: int) -> Any:
        seed = int(generator(self.seed, "tuning", str(number)).integers(2**31))
        return SAMPLERS[self.tuning.sampler](seed)

    def _enqueue(self, values: Mapping[str, Value]) -> None:
        """Enqueue a trial with these values; its process is recorded from the start."""
        self.optuna.enqueue_trial(dict(values), user_attrs={"worker": this_process()})

    def _next_of_grid(self) -> dict[str, Value]:
        """Return the first untried grid point, in the order given by the seed."""
        lost = [trial.number for trial in foreign_trials.lost(self._all())]
        tried = [trial.params for trial in self._all() if trial.number not in lost]
        points = grid_points(self.space, self.tuning.grid_points, rng=generator(self.seed, "grid"))
        return next(point for point in points if point not in tried)

    def _all(self) -> "list[FrozenTrial]":
        """Return all trials; do not modify them."""
        return self.optuna.get_trials(deepcopy=False)

    def _check_same(self, content: dict[str, str]) -> None:
        """Raise ConfigError unless the study is new or was started with the same content."""
        had = self.optuna.user_attrs.get("content")
        if had is None:
            self.optuna.set_user_attr("content", content)
        elif had != content:
            other = ", ".join(sorted(key for key in {*had, *content} if had.get(key) != content.get(key)))
            raise ConfigError(
                f"tuning.study: {self.name} was started with a different {other}, so its trials cannot be compared "
                "with these; choose another name, or remove tuning.study"
            )

    def _retry(self) -> None:
        """Enqueue again the unfinished trials of processes on this machine that have ended."""
        from optuna.trial import TrialState

        for trial in self.optuna.trials:
            if trial.state.name == "RUNNING" and gone(trial.user_attrs.get("worker", "")):
                self.optuna.set_user_attr("killed", [*self.optuna.user_attrs.get("killed", []), trial.number])
                self.optuna.tell(trial.number, state=TrialState.FAIL)
                self._enqueue(trial.params)

    def _log_end(self, number: int, error: str) -> None:
        trial, ended = self._all()[number], self.trials
        done = [_value(one) for one in ended if one.state.name == "COMPLETE"]
        what = trial.state.name.lower() if trial.value is None else f"{self.metric} {trial.value:.4f}"
        if trial.state.name == "PRUNED" and trial.value is not None:
            what = f"pruned at step {trial.last_step} ({what})"
        best = f" (best {max(done) if self.higher_is_better else min(done):.4f})" if done else ""
        values = ", ".join(f"{name}={_short(value)}" for name, value in trial.params.items())
        level, reason = (logging.WARNING, f": {error}") if error else (logging.INFO, "")
        log.log(level, "trial %d of %d: %s%s with %s%s", len(ended), self.total, what, best, values, reason)


def _value(trial: "FrozenTrial") -> float:
    """Return the value of a complete trial."""
    if trial.value is None:
        raise RecexpError(f"trial {trial.number} is complete and has no value")
    return trial.value


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
