"""A store of small runs whose values are known by hand."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from recexp import cli
from recexp.comparison import Comparison, Options, group_runs
from recexp.comparison import compare as compared
from recexp.config.experiments import metric
from recexp.errors import StoreError
from recexp.evidence import run_files
from recexp.history.archive import Archive, StoredRun
from recexp.identity import digest
from recexp.rng import generator
from recexp.tracking import Tracking

USERS = 12
PROTOCOL = {"runner": "Offline", "data": "rows of toy", "filters": {"steps": []}, "split": {"test_ratio": 0.2}}


def skill(name: str, *shape: int) -> np.ndarray:
    """Return values of users, the same for the same name."""
    return generator(3, name).uniform(size=shape or (USERS,))


def write(
    store: Any,
    algorithm: str,
    values: np.ndarray | None,
    *,
    seed: int = 1,
    split: str | None = None,
    protocol: Mapping[str, Any] = PROTOCOL,
    dataset: str = "toy",
    params: Mapping[str, Any] | None = None,
    owners: Sequence[int] | None = None,
    tags: Mapping[str, str] | None = None,
    predicted: np.ndarray | None = None,
    metrics: Mapping[str, float] | None = None,
    listed: Sequence[str] = ("ndcg", "gini"),
) -> str:
    """Log one run with ndcg_at_10 of each query, and return its id; without values it has no file of them."""
    split = split or f"{dataset} {seed}"
    given = {
        "algorithm": algorithm,
        "dataset": dataset,
        "seed": str(seed),
        "recexp.split": split,
        "recexp.protocol": digest(dict(protocol)),
        "filter": "positive",
        **(tags or {}),
    }
    found = {"test/gini_at_10": 0.5, "cost/fit_cpu_seconds": 2.0, "cost/recommend_cpu_seconds": 1.0, **(metrics or {})}
    with store.run(name=f"{algorithm} seed {seed}", tags=given) as run:
        (run.directory / "identity.yaml").write_text(yaml.safe_dump({"protocol": dict(protocol)}))
        if values is not None:
            users = np.array(range(len(values)) if owners is None else owners, np.int32)
            per_query = {"ndcg_at_10": np.asarray(values, np.float64)}
            run_files.write_units(
                run.directory, "user", run_files.ids_of(np.arange(100, 200), users), per_query, about={}
            )
            found["test/ndcg_at_10"] = float(np.mean(values))
        if predicted is not None:
            rows = store_rows(len(predicted))
            run_files.write_predictions(
                run.directory, rows, predicted.astype(np.float32), user_ids=np.arange(100, 200), item_ids=np.arange(9)
            )
            found["test/rmse"] = float(np.sqrt(np.mean((predicted - 3.0) ** 2)))
        config = {
            "algorithm": params or {},
            "dataset": {"name": dataset},
            "evaluation": {"metrics": list(listed), "cutoffs": [10]},
        }
        run.finish(metrics=found, params=config, description="d", inputs=[], model_folder=None)
        return run.id


def store_rows(m: int) -> Any:
    """Return m held-out ratings of 3, two of each user."""
    from recexp.data import Interactions

    users = (np.arange(m) // 2).astype(np.int32)
    return Interactions(
        users=users, items=np.zeros(m, np.int32), values=np.full(m, 3.0, np.float32), n_users=m, n_items=9
    )


class Shelf(Archive):
    """Runs in a folder, without a store: what comparing asks an archive for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = "sqlite:////shelf/mlflow.db"
        self.found: list[StoredRun] = []

    def run(
        self,
        algorithm: str,
        values: np.ndarray | None = None,
        *,
        seed: int = 1,
        split: str | None = None,
        dataset: str = "toy",
        protocol: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        owners: Sequence[int] | None = None,
        tags: Mapping[str, str] | None = None,
        name: str = "ndcg_at_10",
        metrics: Mapping[str, float] | None = None,
        defined: Mapping[str, Any] | None = None,
    ) -> StoredRun:
        """Keep a run with a value of each user (or of each query of `owners`); later ones are newer."""
        number = len(self.found)
        content = {**PROTOCOL, "data": dataset, **(protocol or {})}
        folder = self.folder / f"{number:032x}"
        folder.mkdir()
        identity = {"protocol": content, "evaluation": {"metrics": dict(defined or {})}}
        (folder / "identity.yaml").write_text(yaml.safe_dump(identity))
        found = dict(metrics or {})
        if values is not None:
            users = np.array(range(len(values)) if owners is None else owners, np.int32)
            ids = run_files.ids_of(np.arange(1000), users)
            run_files.write_units(folder, "user", ids, {name: np.asarray(values, np.float64)}, about={})
            found[f"test/{name}"] = float(np.nanmean(values))
        given = {
            "algorithm": algorithm,
            "dataset": dataset,
            "seed": str(seed),
            "recexp.complete": "true",
            "recexp.split": split or f"{dataset} {seed}",
            "recexp.protocol": digest(content),
            **(tags or {}),
        }
        own = {f"algorithm.{key}": value for key, value in (params or {}).items()}
        self.found.append(
            StoredRun(
                id=folder.name,
                name=f"{algorithm} seed {seed}",
                experiment="1",
                started=number,
                status="FINISHED",
                tags=given,
                params={**own, "dataset.name": dataset, "evaluation.metrics": '["ndcg"]'},
                metrics=found,
                files="",
            )
        )
        return self.found[-1]

    def file(self, run: StoredRun, path: str) -> Path:
        if not self.has(run, path):
            raise StoreError(f"run {run.id} has no file {path}")
        return self.folder / run.id / path

    def has(self, run: StoredRun, path: str) -> bool:
        return (self.folder / run.id / path).exists()

    def curves(self, run: StoredRun) -> dict[str, list[tuple[int, float]]]:
        return {}

    def compare(self, *, strict: bool = False, **given: Any) -> Comparison:
        """Compare all runs."""
        options = {"metric": None, "baseline": None, "test": "t", "correction": "holm", "confidence": 0.95}
        groups, notes = group_runs(self, self.found, strict=strict)
        return compared(self, groups, Options(**{**options, "resamples": 20, **given}), metric, notes)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A folder for runs."""
    return Shelf(tmp_path)


@pytest.fixture(name="skill")
def of_users() -> Callable[..., np.ndarray]:
    """The values that the shop's runs are made of."""
    return skill


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder whose store holds several experiments."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(empty_store, folder / "mlflow.db")
    uri, ids = str(folder / "mlflow.db"), {}
    other = {**PROTOCOL, "split": {"test_ratio": 0.1}}

    def opened(experiment: str) -> Any:
        return Tracking(uri=uri, artifacts=None, experiment=experiment, log_model=False, git_diff=False).open()

    with opened("recexp") as store:
        ids["old"] = write(store, "good", skill("old"), protocol=other)
        for seed in (1, 2):
            ids[f"base {seed}"] = write(store, "base", skill(f"base {seed}"), seed=seed)
            ids[f"good {seed}"] = write(
                store,
                "good",
                skill(f"base {seed}") + 0.2 + 0.1 * skill(f"good {seed}"),
                seed=seed,
                tags={"sweep": "spring"},
                params={"l2": 100.0},
            )
        write(store, "good", skill("weak 1") * 0.3, params={"l2": 1.0})
        ids["again"] = write(store, "base", skill("base 1"), seed=1)
    with opened("sets") as store:
        for number, dataset in enumerate(("a", "b", "c")):
            protocol = {**PROTOCOL, "data": dataset}
            for place, name in enumerate(("worst", "middle", "best")):
                write(store, name, skill("same") + 0.1 * place + 0.01 * number, dataset=dataset, protocol=protocol)
    with opened("gaps") as store:
        for dataset, names in (("a", ("base", "good")), ("b", ("good",))):
            for name in names:
                write(store, name, skill(name), dataset=dataset, protocol={**PROTOCOL, "data": dataset})
    with opened("ratings") as store:
        for name, error in (("near", 0.1), ("far", 0.5)):
            predicted = 3.0 + error + 0.05 * skill(name, 2 * USERS)
            write(store, name, None, predicted=predicted, listed=["rmse"])
    with opened("apart") as store:
        write(store, "one", skill("one"), split="first")
        write(store, "two", skill("two"), split="second")
    with opened("queries") as store:
        owners = [0, 0, 0, *range(1, 8), -1, -1]
        write(store, "one", skill("one"), owners=owners)
        write(store, "two", skill("two"), owners=owners)
    with opened("tuned") as store:
        write(store, "one", skill("one"), params={"l2": 9.0})
        for seed in (1, 2):
            write(store, "one", skill("one"), seed=seed, tags={"tuning": f"study {seed}"}, params={"l2": float(seed)})
    with opened("neither") as store:
        write(store, "one", skill("one"), metrics={"test/average_popularity_at_10": 0.2})
    with opened("bare") as store:
        ids["bare"] = write(store, "bare", None, metrics={"test/ndcg_at_10": 0.5})
        write(store, "one", skill("one"))
        try:
            with store.run(name="broken", tags={}) as run:
                ids["broken"] = run.id
                raise ValueError("broken")
        except ValueError:
            pass
    with opened("empty"):
        pass
    (folder / "ids.json").write_text(json.dumps(ids))
    return folder


@pytest.fixture
def compare(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `recexp compare` in the shop's folder; returns exit code, output and what it says on stderr."""
    monkeypatch.chdir(shop)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["compare", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture
def ids(shop: Path) -> dict[str, str]:
    """The ids of the shop's runs."""
    return json.loads((shop / "ids.json").read_text())
