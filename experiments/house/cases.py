"""What is run before and after: overrides by label, and the files that some of them need."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FILMS = ("dataset=movielens_100k",)
STORE = ("dataset=electronics", "dataset.n_users=300", "dataset.n_products=150", "dataset.n_visits=6000")
EVENTS = ("dataset=files", "dataset.interactions=events.csv")
RATED = ("filter=ratings", "split=random_rows", "evaluation=ratings")
"""What models that predict ratings are judged on; those that predict none refuse it, and leave no run."""
METRICS_OF_RATINGS = ("mae", "rmse")
FIRST_RUN = "FIRST_RUN"
VALIDATED = {
    "leave_last": ("split.validation_n=1",),
    "leave_random": ("split.validation_n=1",),
    "predefined": ("split.validation=validation.csv",),
}
"""How a split is told to hold out a validation part; others take a share."""
FILES = {
    "predefined": (*EVENTS, "split.test=test.csv"),
    "candidates": (*EVENTS, "split=predefined", "split.test=candidates.csv"),
}
EXTRA = {
    "split/kfold_users": (*STORE, "algorithm=ease", "split=kfold", "split.by=users", "split.folds=2"),
    "split/kfold_column": (*EVENTS, "split=kfold", "split.by=column", "split.folds=2", "dataset.columns.fold=fold"),
    "split/candidates": FILES["candidates"],
    "split/temporal_from": (*EVENTS, "split=temporal", "split.test_ratio=null", "split.test_from=1600050000"),
    "split/random_n": (*STORE, "algorithm=item_knn", "split=random", "split.test_n=2"),
    "validated/train_alone": (*STORE, "algorithm=als", "split.validation_ratio=0.1", "refit=false"),
    "validated/train_history": (
        *(*STORE, "algorithm=item_knn", "split.validation_ratio=0.1"),
        *("refit=false", "evaluation.history=train"),
    ),
    "validated/bpr": (*STORE, "algorithm=bpr", "split.validation_ratio=0.1"),
    "validated/mf": (*STORE, *RATED, "algorithm=mf", "split.validation_ratio=0.1"),
    "validated/weights": (*STORE, "algorithm=hybrid_weighted", "algorithm.weights=tuned", "split.validation_ratio=0.1"),
    "validated/runner": (*STORE, "algorithm=ease", "split.validation_ratio=0.1", "runner=validation"),
    "evaluation/in_train": (*STORE, "algorithm=ease", "evaluation.catalogue=in_train", "split.test_ratio=0.5"),
    "evaluation/relevant_from": (*STORE, "algorithm=ease", "filter=ratings", "evaluation.relevant_from=4.0"),
    "evaluation/seen_too": (*STORE, "algorithm=ease", "split.exclude_seen=false"),
    "evaluation/no_cache": (*STORE, "algorithm=ease", "runner.cache=false", "seed=7"),
    "evaluation/blocks": (*FILMS, "algorithm=ease", "runner.block_mib=1", "evaluation.cutoffs=[3,100]"),
    "fallback/random": (*STORE, "algorithm=ease", "algorithm@fallback=random", "split=cold_users"),
    "saved/model": (*STORE, "algorithm=nmf", "tracking.log_model=true"),
    "own/algorithm": (*STORE, "algorithm=mine"),
}
OWN = {
    "own_model.py": """from recexp.algorithms.linear.ease import EASE
from recexp.params import params


@params
class Mine(EASE):
    pass
""",
    "conf/algorithm/mine.yaml": "_target_: own_model.Mine\nl2: 300.0\n",
}
"""A class that is not recexp's, which digests hold the code of."""


def single(conf: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield label and overrides of each experiment that is one call in this process."""

    def options(group: str) -> list[str]:
        return sorted(path.stem for path in (conf / group).glob("*.yaml"))

    found: dict[str, tuple[str, ...]] = {}
    for name in options("algorithm"):
        found[f"algorithm/{name}"] = (*FILMS, f"algorithm={name}")
        found[f"ratings/{name}"] = (*FILMS, *RATED, f"algorithm={name}")
    for name in options("split"):
        words = (*FILES.get(name, STORE), f"split={name}", "algorithm=item_knn")
        found[f"split/{name}"] = words
        found[f"validated/{name}"] = (*words, *VALIDATED.get(name, ("split.validation_ratio=0.2",)))
    for name in options("filter"):
        found[f"filter/{name}"] = (*STORE, f"filter={name}", "algorithm=item_knn")
    for name in options("metric"):
        rated = (*RATED, "algorithm=bias") if name in METRICS_OF_RATINGS else ("algorithm=item_knn",)
        found[f"metric/{name}"] = (*STORE, *rated, f"evaluation.metrics=[{name}]")
    for path in sorted((conf / "experiment").glob("*.yaml")):
        if "MULTIRUN" not in path.read_text():
            found[f"preset/{path.stem}"] = (f"+experiment={path.stem}",)
    for label, words in {**found, **EXTRA}.items():
        quiet = () if any("log_model" in word for word in words) else ("tracking.log_model=false",)
        yield label, [*words, *quiet, f"tracking.experiment={label}", "logging.level=warning"]


def composite(conf: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield label and commands of what takes the command line; FIRST_RUN stands for the id of the label's first."""

    def own(label: str) -> list[str]:
        return [f"tracking.experiment={label}", "tracking.log_model=false", "logging.level=warning"]

    for path in sorted((conf / "experiment").glob("*.yaml")):
        if "MULTIRUN" in path.read_text():
            yield f"preset/{path.stem}", [[f"+experiment={path.stem}", *own(f"preset/{path.stem}")]]
    yield "sweep", [["-m", *STORE, "algorithm=ease,item_knn", "seed=1,2", *own("sweep")]]
    yield "tuned/ranking", [["tune", *STORE, "algorithm=item_knn,bpr", "tuning.trials=4", *own("tuned/ranking")]]
    yield "tuned/ratings", [["tune", *STORE, *RATED, "algorithm=mf", "tuning.trials=4", *own("tuned/ratings")]]
    later = [*STORE, "algorithm=als", *own("later")]
    evaluate = ["evaluate", "--experiment", "later", "metric=mrr,gini,intra_list_diversity", "cutoffs=[3,10]"]
    yield "later", [later, evaluate, ["reproduce", FIRST_RUN]]


def write_files(rng: np.random.Generator) -> None:
    """Write events of 60 users and 40 items, what split=predefined asks for, and an algorithm of our own."""
    taken = rng.random((60, 40)) < 0.35
    rows = [(u, i, rng.integers(1, 6), 1_600_000_000 + 60 * rng.integers(1440)) for u, i in zip(*np.nonzero(taken))]
    lines = [f"u{u},i{i},{rating},{at},{n % 2}" for n, (u, i, rating, at) in enumerate(rows)]
    heads = {"test": "user_id,item_id", "validation": "user_id,item_id", "candidates": "user_id,item_id,candidates"}
    asked: dict[str, list[str]] = {name: [] for name in heads}
    for u, user in enumerate(taken):
        unseen = rng.permutation(np.flatnonzero(~user))
        asked["test"] += [f"u{u},i{unseen[0]}", f"u{u},i{unseen[1]}"]
        asked["validation"].append(f"u{u},i{unseen[2]}")
        asked["candidates"].append(f"u{u},i{unseen[0]},{' '.join(f'i{i}' for i in unseen[:21])}")
    for name, head in heads.items():
        Path(f"{name}.csv").write_text("\n".join([head, *asked[name]]) + "\n")
    Path("events.csv").write_text("\n".join(["user_id,item_id,rating,timestamp,fold", *lines]) + "\n")
    for name, text in OWN.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    sys.path.insert(0, os.getcwd())
