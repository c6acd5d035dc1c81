"""What a run leaves behind: files and metrics, handed to the tracking store, once where that is enough."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recexp.audit import Report
from recexp.cost import Costs
from recexp.data import Dataset, Split
from recexp.evaluation.evaluation import Results
from recexp.evidence import run_files
from recexp.evidence.description import Summary, describe_run
from recexp.evidence.plots import write_plots
from recexp.models.fitted import FittedModel
from recexp.ranking import Lists
from recexp.runners import environment
from recexp.runners.base import Experiment, Outcome
from recexp.runners.identity import Data, Identity
from recexp.tracking import Input, Run, Store, mask
from recexp.tracking.names import CONFIG, REPRODUCES, TEST

log = logging.getLogger(__name__)

SHOWN = 5
"""How many recommendations are shown for one user: enough to get an idea."""


@dataclass(frozen=True)
class Part:
    """One judged part of a run: `name` is test, validation, or those over listed candidates."""

    name: str
    split: Split
    lists: Lists
    predicted: np.ndarray | None
    results: Results
    fallback_share: float


def once(
    x: Experiment, store: Store, identity: Identity, work: Callable[[Run], Outcome], *, stage: str = ""
) -> Outcome:
    """Return the outcome of a complete run of this identity where one is enough, else of `work` in a new one.

    The experiment's `check` sees the identity first. `stage` ends the run's name.
    """
    if x.check is not None:
        x.check(identity.content)
    tags = identity.tags
    if done := store.claim(tags[CONFIG], x.once):
        log.info("already done in run %s", done.id)
        return Outcome.there(done, store)
    with store.run(name=f"{tags['algorithm']} seed {x.seed} {tags['dataset']} {stage}".rstrip(), tags=tags) as run:
        return work(run)


def conclude(x: Experiment, store: Store, outcomes: list[Outcome]) -> list[Outcome]:
    """Mark the experiment's job as done by these outcomes, all that it has, so that it is known without its data."""
    if x.job is not None and outcomes:
        store.job_done(x.job, [outcome.run_id for outcome in outcomes])
    return outcomes


def record(
    x: Experiment,
    store: Store,
    run: Run,
    data: Data,
    identity: Identity,
    model: FittedModel,
    parts: list[Part],
    costs: Costs,
) -> Outcome:
    """Write what the parts found, the last of them the test, and the model; then mark the run as complete."""
    metrics = {f"{part.name}/{name}": value for part in reversed(parts) for name, value in part.results.metrics.items()}
    intervals = {f"{part.name}/{name}": i for part in parts for name, i in part.results.intervals.items()}
    shares = {part.name: part.fallback_share for part in parts}
    _write_files(x, run, data, identity, parts[-1], metrics, intervals)
    folder = None
    if x.tracking.log_model:
        folder = run.scratch / "recommender"
        model.save(folder)
    metrics |= {f"{name}/fallback_share": share for name, share in shares.items()}
    metrics |= {f"audit/{name}": value for name, value in data.audit.metrics.items()}
    metrics |= {f"cost/{name}": value for name, value in costs.metrics().items()}
    tags = identity.tags
    looks = 0 if REPRODUCES in tags else run.look(tags[TEST])
    description = describe_run(
        Summary(
            algorithm=tags["algorithm"],
            dataset=tags["dataset"],
            split=tags["split"],
            seed=x.seed,
            effects=data.effects,
            sizes=_sizes(data),
            metrics=metrics,
            intervals=intervals,
            fallback_share=shares,
            warnings=_warnings(data.audit, shares),
            facts=data.audit.facts,
            looks=looks,
            command=x.command,
            digests={name: tag for name, tag in tags.items() if name.startswith("recexp.")},
        )
    )
    named, split = f"{tags['dataset']} {tags['split']}", data.split
    origin = x.source.origin()
    inputs = [
        Input("data", tags["dataset"], data.filtered.fingerprint, origin),
        Input("train", f"{named} train", split.train.fingerprint, origin),
        Input("test", f"{named} test", split.fingerprint, origin),
    ]
    run.finish(
        metrics=metrics,
        params=x.config,
        description=description,
        inputs=inputs,
        model_folder=folder,
        lower_is_better=x.evaluation.rising is False,
    )
    return Outcome(
        run.id, run.link, store.leaderboard, metrics, intervals, model, _recommended(x, data.filtered, model)
    )


def write_origins(run: Run, x: Experiment, identity: Identity) -> None:
    """Write what the run is made of: config.yaml, identity.yaml, and of where, environment.yaml."""
    (run.directory / "config.yaml").write_text(mask(run_files.as_yaml(x.config)))
    (run.directory / "identity.yaml").write_text(run_files.as_yaml(identity.content))
    (run.directory / "environment.yaml").write_text(run_files.as_yaml(environment.describe()))


def _write_files(
    x: Experiment,
    run: Run,
    data: Data,
    identity: Identity,
    test: Part,
    metrics: dict[str, float],
    intervals: dict[str, tuple[float, float]],
) -> None:
    split, results = test.split, test.results
    queries, target = split.queries, split.target
    ids = {"user_ids": split.train.user_ids, "item_ids": split.train.item_ids}
    hits = run_files.hits_of(test.lists, target)
    write_plots(
        run.directory / "plots", slices=results.slices, scores=test.lists.scores, hits=hits, curves=run.curves()
    )
    write_origins(run, x, identity)
    run_files.write_metrics(run.directory, metrics, intervals)
    run_files.write_slices(run.directory, results.slices)
    run_files.write_lists(run.directory, users=queries.users, **ids, lists=test.lists, hits=hits)
    run_files.write_per_user(
        run.directory,
        users=results.users,
        user_ids=ids["user_ids"],
        history=queries.lengths,
        held_out=np.diff(target.indptr),
        per_query=results.per_query,
    )
    if test.predicted is not None:
        run_files.write_predictions(run.directory, split.test, test.predicted, **ids)


def _warnings(audit: Report, fallback: dict[str, float]) -> list[str]:
    leaks = [f"leakage audit: {finding}" for finding in audit.findings]
    return leaks + [f"{share:.1%} of the {name} lists are the fallback's" for name, share in fallback.items() if share]


def _recommended(x: Experiment, dataset: Dataset, model: FittedModel) -> tuple[tuple[int | str, str, float], ...]:
    """Return id, name (the first text column) and score of five items that the model recommends to the shown user."""
    if x.show is None:
        return ()
    names = next((column.values for column in dataset.items.values() if column.kind == "text"), dataset.item_ids)
    name = dict(zip(dataset.item_ids.tolist(), names))
    return tuple((item, str(name[item]), score) for item, score in model.recommend(x.show, SHOWN))


def _sizes(data: Data) -> dict[str, tuple[int, int, int]]:
    """Return rows, users and items of each part."""
    split = data.split
    parts = {"all": data.filtered.interactions, "train": split.train.interactions}
    if split.validation is not None:
        parts |= {"train of validation": split.validation.train.interactions, "validation": split.validation.test}
    parts["test"] = split.test
    return {name: (len(rows), len(rows.used_users), len(rows.used_items)) for name, rows in parts.items()}
