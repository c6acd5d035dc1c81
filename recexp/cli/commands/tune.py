"""algorithm=als,ease [tuning.trials=30]: choose values on validation data, then test the best once"""

import logging
from collections.abc import Iterator
from dataclasses import replace

from recexp import config, console
from recexp.config import searches
from recexp.config.searches import Search
from recexp.config.words import overrides
from recexp.errors import MisfitError, RecexpError
from recexp.runners.base import Outcome
from recexp.tracking import process
from recexp.tuning.storage import studies_of

log = logging.getLogger(__name__)


def run(arguments: list[str]) -> Iterator[str]:
    """Tune each algorithm, run it with the best values found, and print them side by side."""
    process.start()
    found, passed = searches.of(arguments)
    console.configure_logging(found[0].experiment.config["logging"])
    labels = dict(zip(map(id, found), console.in_short([" ".join(["recexp", *search.words]) for search in found])))
    done: dict[str, list[Outcome]] = {}
    failures: list[Exception] = []
    for search in found:
        label = labels[id(search)] or search.algorithm
        try:
            done[label] = [tuned(search)]
            console.show(done[label])
        except MisfitError as error:
            log.warning("passed over: %s", error)
            passed[label] = str(error)
            failures += [error] if len(found) == 1 else []
        except Exception as error:
            failures.append(error)
            if len(found) > 1:
                log.error("failed: %s: %s", label, error)
    if len(found) > 1:
        console.summarise(done)
    console.reasons("passed over", passed)
    if len(failures) > 1:
        raise RecexpError(f"{len(failures)} searches failed; the first: {failures[0]}")
    if failures:
        raise failures[0]
    yield f"trials are kept in {studies_of(found[0].experiment.tracking.uri)}; the same command goes on with them"


def tuned(search: Search) -> Outcome:
    """Search, then fit the best values on train and validation and test them, unless a run of them is there."""
    with search.experiment.tracking.open():  # a store that cannot be written is found out before the work
        sealed = search.seal()
        study = search.study(sealed)
        search.run(study, sealed)
    best = study.best
    log.info("study %s: trial %d is the best; fitting it for the test", study.name, best.number)
    words = [*search.words, *overrides(best.params)]
    runner, experiment = config.experiment(config.compose(words), tags={"tuning": study.name})
    (outcome,) = runner.run(replace(experiment, resume=True))
    searches.attach(search, study, outcome.run_id)
    return outcome
