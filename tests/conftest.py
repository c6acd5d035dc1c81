"""Fixtures shared by all tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from recexp.data import Dataset

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def ml100k() -> "Dataset":
    """MovieLens 100K as loaded, fetched where RECEXP_DATA does not say where it lies."""
    import recexp
    from recexp.errors import DataError

    try:
        return recexp.make("dataset=movielens_100k").load()
    except DataError as error:
        if "RECEXP_DATA" in os.environ:
            raise
        pytest.skip(f"MovieLens 100K is neither here nor to be fetched: {error}")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking database with all tables and no experiment of ours: copying it is 30 times faster than making one."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    code = "import sys; from mlflow.tracking import MlflowClient; MlflowClient(sys.argv[1]).search_experiments()"
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{path}"], check=True, capture_output=True)
    return path


@pytest.fixture
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without prepared data; downloads are those that there are."""
    from recexp.datasets.download import cache_dir

    downloads, cache = cache_dir(), tmp_path_factory.mktemp("cache")
    downloads.mkdir(parents=True, exist_ok=True)
    (cache / "datasets").symlink_to(downloads)
    monkeypatch.setenv("RECEXP_CACHE", str(cache))
    return cache


@pytest.fixture
def workplace(tmp_path: Path, empty_store: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a fresh tracking store."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """Files of a shop (40 users, 25 films with genres, test rows with candidates) and a store beside them."""
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(5)
    taken = rng.random((40, 25)) < 0.4
    rows = [(f"u{u}", f"f{i}", rng.integers(1, 6), 60 * u + i) for u, i in zip(*np.nonzero(taken))]
    lines = ["user_id,item_id,rating,timestamp", *(",".join(map(str, row)) for row in rows)]
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    films = [f"f{i},{['drama', 'comedy', 'noir'][i % 3]}" for i in range(25)]
    (folder / "films.csv").write_text("\n".join(["item_id,genre", *films]) + "\n")
    unseen = [np.flatnonzero(~user)[:8] for user in taken]
    asked = [f"u{u},f{some[u % 8]},{' '.join(f'f{i}' for i in some)}" for u, some in enumerate(unseen)]
    (folder / "test.csv").write_text("\n".join(["user_id,item_id,candidates", *asked]) + "\n")
    shutil.copy(empty_store, folder / "mlflow.db")
    return folder


@pytest.fixture
def shop(shop_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop as the working directory; its store keeps the runs of all tests."""
    monkeypatch.chdir(shop_folder)
    return shop_folder


@pytest.fixture
def recexp(workplace: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in the working directory, as a person does."""

    def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "recexp", *arguments],
            cwd=workplace,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return command


@pytest.fixture
def runs(workplace: Path) -> Iterator[Callable[[], list]]:
    """All runs in the working directory's store, deleted ones left out."""

    def search() -> list:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}")
        ids = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(ids))

    yield search
