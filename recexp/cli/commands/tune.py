"""algorithm=als,ease [tuning.trials=30] [...]: tune hyperparameters on validation data, then test the best once"""

import logging
import shlex
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from recexp import config, console
from recexp.cli.parsing import Parser
from recexp.errors import IncompatibleError, InterruptedRunError, RecexpError
from recexp.metric_names import is_final, pretty

if TYPE_CHECKING:
    from recexp.functions.tune import Tuned
    from recexp.tuning.study import Study

log = logging.getLogger(__name__)


def parser() -> Parser:
    """Return what reads the command's words."""
    path = config.options("tuning")["optuna"]
    values = "\n".join(
        f"  {line}"
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if not line.startswith("_target_")
    )
    return Parser(
        "tune",
        __doc__,
        example="recexp tune algorithm=als,ease dataset=movielens_1m tuning.trials=50",
        overrides={
            "algorithm=NAME,...": "algorithms to tune, each separately; default: ease",
            "algorithm.k=range(5,50)": "search range, replaces conf/search: 5 to 49 (a range excludes its end)",
            "algorithm.k=10,20,50": "one of these; 'algorithm.l2=tag(log,interval(1,1e4))': any number in between",
            "algorithm.k=30": "fixed, not searched",
            "search=NAME": "another search space, see recexp search --help and recexp search=als --help",
            "KEY=VALUE": "any other override of a run: dataset, split, evaluation ...",
        },
        notes=f"tuning/{path.name}, set a value with tuning.KEY=VALUE:\n{values}",
    )


def run(given: Namespace) -> Iterator[str]:
    """Tune each algorithm, run it with the best values found, and print them side by side."""
    from recexp.functions.tune import open_study, tune_job
    from recexp.tracking import process
    from recexp.tuning import job as tuning_jobs
    from recexp.tuning.storage import studies_of

    process.start()
    found, left_out = tuning_jobs.jobs_of(given.overrides)
    console.configure_logging(found[0].experiment.config["logging"])
    kept = studies_of(found[0].experiment.tracking.uri)
    labels = console.distinct_words([shlex.join(["recexp", *job.words]) for job in found])
    done: dict[str, Tuned] = {}
    failures: list[Exception] = []
    for label, job in zip(labels, found):
        label = label.removeprefix(f"{job.experiment.runner.subject[0]}=") or job.name
        study = None
        try:
            study, objective = open_study(job)
            done[label] = tune_job(job, study, objective)
            console.show([done[label].run])
        except KeyboardInterrupt:
            raise InterruptedRunError(_interrupted(label, study, len(done), len(found), kept, given)) from None
        except IncompatibleError as error:
            log.warning("incompatible: %s", error)
            left_out[label] = str(error)
            failures += [error] if len(found) == 1 else []
        except Exception as error:
            failures.append(error)
            if len(found) > 1:
                log.error("failed: %s: %s", label, error)
    _conclude(done)
    console.reasons("incompatible", left_out)
    if len(failures) > 1:
        raise RecexpError(f"{len(failures)} searches failed; the first: {failures[0]}")
    if failures:
        raise failures[0]
    yield f"trials are stored in {kept}; run the same command to continue"


def _conclude(done: "dict[str, Tuned]") -> None:
    """Print what was found, and how often the final part that it was judged by has been evaluated."""
    from recexp.tuning.overrides import overrides

    if not done:
        return
    rows = []
    for label, one in done.items():
        best, metric = one.study.best, one.study.metric
        short = {n: float(f"{v:.4g}") if isinstance(v, float) else v for n, v in best.params.items()}
        values = ", ".join(word.removeprefix(f"{one.subject[0]}.") for word in overrides(short, one.subject))
        final = [v for n, v in one.run.metrics.items() if is_final(n, one.run.final) and n.partition("/")[2] == metric]
        rows.append(
            [label, str(len(one.study.trials)), values, *(f"{value:.4f}" for value in (best.value, *final[:1]))]
        )
    metrics = {pretty(one.study.metric) for one in done.values()}
    what = f" {metrics.pop()}" if len(metrics) == 1 else ""
    parts = [f"{part}{what}" for part in (one.study.part, one.run.final)]
    console.table([one.subject[0], "trials", "best values", *parts], rows)
    evaluations = {one.test: one.evaluations for one in done.values()}  # the last tuning knows of all
    counts = " and ".join(map(str, evaluations.values()))
    console.say(f"runs in this store on the same {one.run.final} part: {counts}; each seed and fold is a run")


def _interrupted(label: str, study: "Study | None", done: int, all_of: int, kept: object, given: Namespace) -> str:
    from recexp.sweeps.jobs import command_of

    command = command_of(["tune", *given.arguments])
    far = "before the first trial" if study is None else f"after {len(study.trials)} of {study.total} trials"
    searches = f", {done} of {all_of} searches done" if all_of > 1 else ""
    return f"interrupted {far} of {label}{searches}; trials are stored in {kept}; to continue: {command}"
