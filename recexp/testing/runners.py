"""The contract of runners."""

import dataclasses
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from recexp import config, threads
from recexp.config.experiments import experiment
from recexp.cost import Costs
from recexp.evidence.evidence import Evidence
from recexp.metric_names import is_final
from recexp.params import describe
from recexp.runners.base import Experiment, Identity, Runner
from recexp.runners.context import RunContext
from recexp.runners.identity import identify
from recexp.testing.checking import check_kind, equal_arrays, expect, quiet, run_checks


@quiet()
def check_runner(*overrides: str, config_dir: str | None = None) -> None:
    """Build an experiment and run it twice without a store; raise if its runner violates the contract of runners.

    Overrides select the runner and keep it fast. If the runner makes several runs (folds), only the first is checked::

        check_runner("runner=bandit", "runner.visits=20", config_dir="conf")
    """
    with config.within(config_dir):
        cfg = config.compose(overrides)
        built, again = (experiment(cfg, tags={}) for _ in range(2))
    check_kind(built.runner, Runner)
    before = {*Path.cwd().iterdir()}
    case = Case(built, *_run(built), *_run(again))
    left = sorted(path.name for path in {*Path.cwd().iterdir()} - before)
    expect(not left, f"run left {', '.join(left)} in the working directory; what it keeps belongs in its Evidence")
    run_checks(built.runner, CHECKS, case)


@dataclass(frozen=True)
class Case:
    """Experiment, identity and evidence of its first run, and the same for a second, equally built experiment."""

    experiment: Experiment
    identity: Identity
    found: Evidence
    second_identity: Identity
    second: Evidence


def the_headline_is_measured(case: Case) -> None:
    """Metrics are numbers; the part `final` has the metric `headline`, and it is finite."""
    runner, metrics = case.experiment.runner, case.found.metrics
    wrong = {name: value for name, value in metrics.items() if not isinstance(value, int | float)}
    expect(not wrong, f"metrics must be numbers (got {wrong})")
    headline, _ = runner.headline(case.experiment)
    values = [metrics[name] for name in metrics if is_final(name, runner.final) and name.endswith(f"/{headline}")]
    expect(values, f"the headline {runner.final}/{headline} is not among the metrics {', '.join(metrics)}")
    expect(np.isfinite(values[0]), f"the headline {runner.final}/{headline} is {values[0]}")


def intervals_are_of_metrics(case: Case) -> None:
    """Each interval is (low, high) and belongs to an existing metric."""
    for name, (low, high) in case.found.intervals.items():
        expect(name in case.found.metrics, f"there is an interval of {name} and no such metric")
        expect(-np.inf < low <= high < np.inf, f"the interval of {name} is ({low}, {high})")


def units_have_an_id_and_values(case: Case) -> None:
    """The values behind the final metrics are float64, one per unit, and each unit has an id."""
    units = case.found.units
    if units is None:
        return
    for name, values in units.values.items():
        shape = f"{name} of units is {values.dtype} {values.shape}; float64 ({len(units.ids)},) are one an id"
        expect(values.dtype == np.float64 and values.shape == (len(units.ids),), shape)


def the_same_seed_gives_the_same_bits(case: Case) -> None:
    """Two runs of the same seed give the same results: draw from `recexp.rng.generator(experiment.seed, ...)`."""
    for one, other in zip(_numbers(case.found), _numbers(case.second)):
        expect(one.keys() == other.keys(), f"a second run found {', '.join(other)} and not {', '.join(one)}")
        for name in one:
            equal_arrays(other[name], one[name], f"a second run with the same seed found another {name}")


def its_identity_is_plain_data(case: Case) -> None:
    """The content that determines a result is plain data, equal each time; the protocol does not include the seed."""
    json.dumps(case.identity.content)
    expect(case.identity == case.second_identity, "the same experiment has two identities")
    expect("seed" not in case.identity.content["protocol"], "protocol holds the seed; seeds could not be compared")


def the_subject_is_outside_the_protocol(case: Case) -> None:
    """A different value in the subject changes the config but not the protocol."""
    runner, built = case.experiment.runner, case.experiment
    for name in runner.subject:
        for field, part in _changed(built[name]):
            other = built.replaced(**{name: part})
            expect(runner.protocol(other) == runner.protocol(built), f"another {name}.{field} is another protocol")
            expect(runner.content(other) != runner.content(built), f"another {name}.{field} is the same content")


CHECKS = (
    the_headline_is_measured,
    intervals_are_of_metrics,
    units_have_an_id_and_values,
    the_same_seed_gives_the_same_bits,
    its_identity_is_plain_data,
    the_subject_is_outside_the_protocol,
)


def _run(built: Experiment) -> tuple[Identity, Evidence]:
    """Return identity and evidence of an experiment's first run, written to a temporary folder."""
    runner, costs = built.runner, Costs()
    with threads.limit(runner.threads), tempfile.TemporaryDirectory() as folder:
        plans = runner.plans(built, costs)
        plan = next(iter(plans))
        identity = identify(built, plan)
        found = runner.run(built, plan, RunContext(costs, checkpoint=Path(folder) / "checkpoint"))
        expect(isinstance(found, Evidence), f"run must return Evidence (it returned {type(found).__name__})")
        found.write(Path(folder), runner.unit, {})
    return identity, found


def _numbers(found: Evidence) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return found.metrics, {} if found.units is None else found.units.values


def _changed(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield copies of a component with one number changed, for each number that may have another value."""
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if type(value) not in (int, float):
            continue
        for other in (value + 1, value / 2 if isinstance(value, float) else value - 1):
            try:
                changed = replace(part, **{field.name: other})
            except (ValidationError, TypeError, ValueError):
                continue
            if describe(changed) != describe(part):
                yield field.name, changed
                break
