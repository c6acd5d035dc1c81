"""What a run leaves behind: its identity, files and metrics, handed to the tracking store."""

from dataclasses import dataclass

import numpy as np
import yaml

import recexp
from recexp import artifacts, plots
from recexp.cost import Costs
from recexp.data import Dataset, Split
from recexp.description import Summary, describe_run
from recexp.evaluation import Results
from recexp.filters.base import Effect
from recexp.identity import digest
from recexp.model import FittedModel
from recexp.params import describe
from recexp.ranking import Lists
from recexp.runners.base import Experiment, Outcome
from recexp.tracking import Input, Run, Store, mask


@dataclass(frozen=True)
class Part:
    """One judged part of a run: `name` is test, validation, or those over listed candidates."""

    name: str
    split: Split
    lists: Lists
    results: Results
    fallback_share: float


def identify(x: Experiment, dataset: Dataset, split: Split) -> dict[str, str]:
    """Return the tags by which a run is found and compared; the digests are made of content.

    `recexp.protocol` is what two runs must share to be compared; `recexp.config` everything that can change a result.
    """
    evaluation = x.evaluation
    protocol = {
        "data": dataset.fingerprint,
        "filters": describe(x.filters),
        "split": x.splitter.rule(),
        "catalogue": evaluation.catalogue,
        "relevant_from": evaluation.relevant_from,
        "history": evaluation.history,
        "refit": x.refit,
    }
    components = [x.algorithm, x.fallback, x.evaluation]
    everything = [recexp.__version__, protocol, split.fingerprint, x.seed, *map(describe, components)]
    names = {key: x.choices.get(key, "") for key in ("dataset", "filter", "split", "algorithm")}
    fold = {} if split.fold is None else {"fold": str(split.fold)}
    return {
        **names,
        **x.tags,
        **fold,
        "seed": str(x.seed),
        "recexp.data": dataset.fingerprint,
        "recexp.split": split.fingerprint,
        "recexp.protocol": digest(protocol),
        "recexp.config": digest(everything),
    }


def record(
    x: Experiment, store: Store, run: Run, dataset: Dataset, effects: list[Effect], split: Split, model: FittedModel,
    parts: list[Part], costs: Costs,
) -> Outcome:  # fmt: skip
    """Write what the parts found, the last of them the test, and the model; then mark the run as complete."""
    metrics = {f"{part.name}/{name}": value for part in reversed(parts) for name, value in part.results.metrics.items()}
    intervals = {f"{part.name}/{name}": i for part in parts for name, i in part.results.intervals.items()}
    shares = {part.name: part.fallback_share for part in parts}
    test = parts[-1]
    _write_files(x, run, test, dataset, metrics, intervals)
    folder = None
    if x.tracking.log_model:
        folder = run.scratch / "recommender"
        model.save(folder)
    metrics |= {f"{name}/fallback_share": share for name, share in shares.items()}
    metrics |= {f"cost/{name}": value for name, value in costs.metrics().items()}
    tags = identify(x, dataset, split)
    description = describe_run(
        Summary(
            algorithm=tags["algorithm"],
            dataset=tags["dataset"],
            split=tags["split"],
            seed=x.seed,
            effects=effects,
            sizes=_sizes(dataset, split),
            metrics=metrics,
            intervals=intervals,
            fallback_share=shares,
            warnings=[f"{share:.1%} of the {name} lists are the fallback's" for name, share in shares.items() if share],
            command=x.command,
            digests={name: tag for name, tag in tags.items() if name.startswith("recexp.")},
        )  # fmt: skip
    )
    inputs = [
        Input("data", tags["dataset"], dataset.fingerprint, x.source.name),
        Input("train", f"{tags['dataset']} {tags['split']} train", split.train.fingerprint, x.source.name),
        Input("test", f"{tags['dataset']} {tags['split']} test", split.fingerprint, x.source.name),
    ]
    run.finish(metrics=metrics, params=x.config, description=description, inputs=inputs, model_folder=folder)
    return Outcome(run.id, run.link, store.leaderboard, metrics, intervals, model)


def _write_files(
    x: Experiment,
    run: Run,
    test: Part,
    dataset: Dataset,
    metrics: dict[str, float],
    intervals: dict[str, tuple[float, float]],
) -> None:
    queries, results, target = test.split.queries, test.results, test.split.target
    hits = artifacts.hits(test.lists, target)
    run.draw(plots.data(results.slices, test.lists.scores, hits, run.curves()))
    (run.directory / "config.yaml").write_text(mask(yaml.safe_dump(x.config, sort_keys=False)))
    artifacts.write_metrics(run.directory, metrics, intervals)
    artifacts.write_slices(run.directory, results.slices)
    artifacts.write_lists(
        run.directory, users=queries.users, user_ids=dataset.user_ids, item_ids=test.split.train.item_ids,
        lists=test.lists, target=target,
    )  # fmt: skip
    artifacts.write_per_user(
        run.directory, users=results.users, user_ids=dataset.user_ids, queries=results.queries,
        history=queries.lengths[results.queries], held_out=np.diff(target.indptr)[results.queries],
        per_query=results.per_query,
    )  # fmt: skip


def _sizes(dataset: Dataset, split: Split) -> dict[str, tuple[int, int, int]]:
    """Return rows, users and items of each part."""
    parts = {"all": dataset.interactions, "train": split.train.interactions}
    if split.validation is not None:
        parts |= {"train of validation": split.validation.train.interactions, "validation": split.validation.test}
    parts["test"] = split.test
    return {name: (len(rows), len(np.unique(rows.users)), len(np.unique(rows.items))) for name, rows in parts.items()}
