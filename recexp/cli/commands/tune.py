"""algorithm=als,ease [tuning.trials=30] [...]: choose values on validation data, then test the best once"""

import logging
import shlex
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from recexp import config, console
from recexp.cli.parsing import Parser
from recexp.errors import InterruptedRunError, MisfitError, RecexpError
from recexp.metric_names import is_test, pretty

if TYPE_CHECKING:
    from recexp.runners.base import Outcome
    from recexp.runners.sealed import Sealed
    from recexp.tuning import Study
    from recexp.tuning.searches import Search

log = logging.getLogger(__name__)


def parser() -> Parser:
    """Return what reads the command's words."""
    path = config.options("tuning")["optuna"]
    values = "\n".join(
        f"  {line}" for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("_target_")
    )
    return Parser(
        "tune",
        __doc__,
        example="recexp tune algorithm=als,ease dataset=movielens_1m tuning.trials=50",
        overrides={
            "algorithm=NAME,...": "what is tuned, each by itself; default: ease",
            "algorithm.k=range(5,50)": "searched instead of conf/search: from 5 to 49, for a range excludes its end",
            "algorithm.k=10,20,50": "one of these; 'algorithm.l2=tag(log,interval(1,1e4))': any number between",
            "algorithm.k=30": "not searched: fixed",
            "search=NAME": "other ranges, of recexp search --help; recexp search=als --help shows them",
            "KEY=VALUE": "all else that a run takes: dataset, split, evaluation ...",
        },
        notes=f"tuning/{path.name}, each value to be set as tuning.KEY=VALUE:\n{values}",
    )


@dataclass
class _Tuned:
    """A search that has ended: its study, what its test gave, and how often the test part has been looked at."""

    study: "Study"
    outcome: "Outcome"
    test: str
    looks: int


def run(given: Namespace) -> Iterator[str]:
    """Tune each algorithm, run it with the best values found, and print them side by side."""
    from recexp.tracking import process
    from recexp.tuning import searches
    from recexp.tuning.storage import studies_of

    process.start()
    found, passed = searches.of(given.overrides)
    console.configure_logging(found[0].experiment.config["logging"])
    kept = studies_of(found[0].experiment.tracking.uri)
    labels = console.in_short([" ".join(["recexp", *search.words]) for search in found])
    done: dict[str, _Tuned] = {}
    failures: list[Exception] = []
    for label, search in zip(labels, found):
        label = label.removeprefix("algorithm=") or search.algorithm
        study = None
        try:
            study, sealed = _opened(search)
            done[label] = _tuned(search, study, sealed)
            console.show([done[label].outcome])
        except KeyboardInterrupt:
            raise InterruptedRunError(_interrupted(label, study, len(done), len(found), kept, given)) from None
        except MisfitError as error:
            log.warning("passed over: %s", error)
            passed[label] = str(error)
            failures += [error] if len(found) == 1 else []
        except Exception as error:
            failures.append(error)
            if len(found) > 1:
                log.error("failed: %s: %s", label, error)
    _conclude(done)
    console.reasons("passed over", passed)
    if len(failures) > 1:
        raise RecexpError(f"{len(failures)} searches failed; the first: {failures[0]}")
    if failures:
        raise failures[0]
    yield f"trials are kept in {kept}; the same command goes on with them"


def _opened(search: "Search") -> "tuple[Study, Sealed]":
    with search.experiment.tracking.open():  # a store that cannot be written is found out before the work
        sealed = search.seal()
        return search.study(sealed), sealed


def _tuned(search: "Search", study: "Study", sealed: "Sealed") -> _Tuned:
    """Search, then fit the best values on train and validation and test them, unless a run of them is there."""
    from recexp.tracking.names import TEST
    from recexp.tuning import searches
    from recexp.tuning.overrides import overrides

    test = sealed.identity.tags[TEST]
    search.run(study, sealed)
    del sealed
    best = study.best
    log.info("study %s: trial %d is the best; fitting it for the test", study.name, best.number)
    words = [*search.words, *overrides(best.params)]
    runner, experiment = config.experiment(config.compose(words), tags={"tuning": study.name})
    (outcome,) = runner.run(replace(experiment, resume=True))
    searches.attach(search, study, outcome.run_id)
    with search.experiment.tracking.open() as store:
        return _Tuned(study, outcome, test, store.count_evaluations(test))


def _conclude(done: dict[str, _Tuned]) -> None:
    """Print what was found, and how often the test that it was judged by has been looked at."""
    from recexp.tuning.overrides import overrides

    if not done:
        return
    rows = []
    for label, one in done.items():
        best, metric = one.study.best, one.study.metric
        short = {n: float(f"{v:.4g}") if isinstance(v, float) else v for n, v in best.params.items()}
        values = ", ".join(word.removeprefix("algorithm.") for word in overrides(short))
        tested = [v for n, v in one.outcome.metrics.items() if is_test(n) and n.partition("/")[2] == metric]
        rows.append([label, str(one.study.ended), values, *(f"{value:.4f}" for value in (best.value, *tested[:1]))])
    metrics = {pretty(one.study.metric) for one in done.values()}
    what = f" {metrics.pop()}" if len(metrics) == 1 else ""
    console.table(["algorithm", "trials", "best values", f"validation{what}", f"test{what}"], rows)
    looks = {one.test: one.looks for one in done.values()}  # the last search knows of all looks
    console.say(f"looks at this test set in this store: {' and '.join(map(str, looks.values()))}")


def _interrupted(label: str, study: "Study | None", done: int, all_of: int, kept: object, given: Namespace) -> str:
    folders = [f"--config-dir={folder}" for folder in config.search_dirs()[:-1]]
    command = shlex.join(["recexp", *folders, "tune", *given.arguments])
    far = "before the first trial" if study is None else f"after {study.ended} of {study.total} trials"
    searches = f", {done} of {all_of} searches done" if all_of > 1 else ""
    return f"interrupted {far} of {label}{searches}; trials are kept in {kept}; this goes on: {command}"
