"""Fixtures shared by all tests."""

import gc
import io
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from filelock import FileLock

from recexp import plugins

if TYPE_CHECKING:
    from recexp.data import Dataset

ROOT = Path(__file__).parent.parent
plugins.use()  # before Hydra looks for plugins, which it does once in a process
gc.set_threshold(50_000, 20, 50)  # libraries make objects by the hundred thousand, to look through which takes a while
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background jobs get this, and so would ours
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Page:
    """A page of docs/: `files` by path, the words of each `recexp` command, and Python that belongs to no file."""

    files: dict[str, str]
    commands: list[list[str]]
    snippets: list[str]

    @classmethod
    def read(cls, path: Path) -> "Page":
        """Read a page: a block that begins with a comment with a path is that file, as it stands."""
        files, commands, snippets = {}, [], []
        for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            if name := re.match(r"(?:# @package _global_\n)?# (\S+\.(?:py|yaml))\n", block):
                files[name[1]] = block
            elif kind == "python":
                snippets.append(block)
            elif kind == "sh":
                lines = block.replace("\\\n", "").splitlines()
                commands += [shlex.split(line)[1:] for line in lines if line.startswith("recexp ")]
        return cls(files, commands, snippets)

    def write(self, folder: Path) -> None:
        """Write the files into a folder."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


@pytest.fixture
def page() -> Callable[[str], Page]:
    """Read a page of docs/ by its name."""
    return lambda name: Page.read(ROOT / "docs" / f"{name}.md")


@pytest.fixture
def shared() -> Path:
    """The folder of real data; tests of it are skipped where there is none."""
    if "RECEXP_DATA" not in os.environ:
        pytest.skip("RECEXP_DATA is not set")
    return Path(os.environ["RECEXP_DATA"])


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
def electronics() -> "Dataset":
    """The store of electronics as loaded."""
    import recexp

    return recexp.make("dataset=electronics").load()


@pytest.fixture(scope="session")
def in_sorts() -> Callable[[Callable[[], object]], float]:
    """How long work takes, the quickest of three times, in stable sorts of a million numbers on this machine now."""
    numbers = np.random.default_rng(0).random(1_000_000)

    def quickest(work: Callable[[], object]) -> float:
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            work()
            times.append(time.perf_counter() - begin)
        return min(times)

    return lambda work: quickest(work) / quickest(lambda: np.argsort(numbers, kind="stable"))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking database with all tables and no experiment of ours: copying it is 30 times faster than making one."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder  # that of all workers
    path = folder / "mlflow.db"
    code = "import sys; from mlflow.tracking import MlflowClient; MlflowClient(sys.argv[1]).search_experiments()"
    with FileLock(folder / "mlflow.db.lock"):
        if not path.exists():
            new = path.with_suffix(".new")
            subprocess.run([sys.executable, "-c", code, f"sqlite:///{new}"], check=True, capture_output=True)
            new.rename(path)
    return path


def new_cache(folder: Path) -> Path:
    """Make a cache without prepared data; downloads are those that there are."""
    from recexp.folders import cache_dir

    downloads = cache_dir("datasets")
    downloads.mkdir(parents=True, exist_ok=True)
    (folder / "datasets").symlink_to(downloads)
    return folder


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache where runs of one test find the data that those of another have prepared, as on a person's machine."""
    return new_cache(tmp_path_factory.mktemp("shared_cache"))


@pytest.fixture
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test alone, in which nothing is prepared."""
    cache = new_cache(tmp_path_factory.mktemp("cache"))
    monkeypatch.setenv("RECEXP_CACHE", str(cache))
    return cache


@pytest.fixture
def workplace(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    empty_store: Path,
    shared_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """An empty working directory with a fresh tracking store; what preparing data logs is said as by a new process."""
    from recexp.prepared import cached_log

    monkeypatch.setattr(cached_log, "_logged", set())
    if "own_cache" not in request.fixturenames:
        monkeypatch.setenv("RECEXP_CACHE", str(shared_cache))
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def no_store_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs go where a test says."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a command makes of recexp's log ends with the test."""
    loggers = [logging.getLogger(name) for name in ("recexp", "recexp.splits")]
    before = [(logger.level, logger.propagate, [*logger.handlers]) for logger in loggers]
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before):
        for handler in {*logger.handlers} - {*handlers}:
            handler.close()
        logger.setLevel(level)
        logger.propagate, logger.handlers = propagate, handlers


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
def inside(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run the command line in the working directory and in this process: a new one imports all that it needs again."""
    from recexp import cli, config

    monkeypatch.syspath_prepend(str(workplace))
    monkeypatch.setattr(sys, "argv", ["recexp"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # the command sets it

    def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in environment.items():
                patch.setenv(name, value)
            code = cli.run([*arguments])
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    yield command
    config.use_config_dirs([])
    for name, module in [*sys.modules.items()]:
        if str(getattr(module, "__file__", None)).startswith(str(workplace)):
            del sys.modules[name]  # another test may have a module of the same name
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def full_disk() -> Callable[[], AbstractContextManager[Callable[..., None]]]:
    """A block in which `fill(bytes)` lets no file grow beyond so many, in this process and the one that tracks for it.

    That is the process of an open store, `fill(bytes, store.process)`, or else of the store that is opened next.
    """
    import resource

    from recexp.tracking import process

    @contextmanager
    def block() -> Iterator[Callable[..., None]]:
        before = {}

        def fill(size: int, tracker: process.TrackingProcess | None = None) -> None:
            if tracker is None:
                process.start()
                tracker = process._idle[-1]
            for pid in (os.getpid(), tracker.process.pid):
                before[pid] = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[pid][1]))

        try:
            yield fill
        finally:
            for pid, limits in before.items():
                with suppress(ProcessLookupError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

    return block


@pytest.fixture
def runs(workplace: Path) -> Iterator[Callable[[], list]]:
    """All runs in the working directory's store, deleted ones left out."""

    def search() -> list:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}")
        ids = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(ids))

    yield search
