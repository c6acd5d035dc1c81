"""Prepared data: made once, equal to what is made anew, never stale, and no reason for a run to fail."""

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache as cache_of
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from small_store import SMALL

import recexp as library
from recexp.config import options
from recexp.data import Column, Dataset, Interactions, Split
from recexp.datasets.electronics import Electronics
from recexp.datasets.files import Files
from recexp.prepared import Loaded, Preparation, cache, cached_log, keys
from recexp.prepared.packing import pack, unpack
from recexp.splits.random import RandomPerUser

CALLS: list[str] = []
made = cache_of(library.make)


def prepared(*overrides: str, seed: int = 1, use: bool = True) -> tuple[Loaded, list[Split]]:
    """Prepare what overrides of dataset, filter and split say."""
    parts = {"dataset": ["dataset=electronics"], "filter": ["filter=event_values"], "split": ["split=random"]}
    for group in parts:
        given = [one for one in overrides if one.startswith((f"{group}=", f"{group}."))]
        parts[group] = given if any(one.startswith(f"{group}=") for one in given) else [*parts[group], *given]
    source, filters, splitter = (made(*given) for given in parts.values())
    with Preparation(source, filters, splitter, seed=seed, cache=use) as preparation:
        loaded = preparation.load()
        return loaded, list(preparation.splits(loaded))


def arrays(value: Any) -> Iterator[np.ndarray]:
    """Yield every array in a value."""
    if isinstance(value, np.ndarray):
        yield value
    elif sp.issparse(value):
        yield from (value.data, value.indices, value.indptr)
    elif isinstance(value, dict):
        for item in value.values():
            yield from arrays(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from arrays(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from arrays(getattr(value, field.name))


def assert_equal(first: Any, second: Any) -> None:
    for a, b in zip(arrays(first), arrays(second), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype and a.flags.writeable == b.flags.writeable


@pytest.fixture
def counted(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was really done: load, split."""
    CALLS.clear()
    for cls, name in ((Electronics, "load"), (Files, "load"), (RandomPerUser, "split")):
        done = getattr(cls, name)

        def counting(self, *given, done=done, name=name):
            if name == "load":
                CALLS.append(name)
                return done(self, *given)
            return splitting(self, *given, done=done)

        def splitting(self, *given, done):
            CALLS.append("split")
            yield from done(self, *given)

        monkeypatch.setattr(cls, name, counting)
    return CALLS


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [(user, item, 4, 1000 + user) for user in range(100, 130) for item in rng.permutation(90)[:10] + 100]
    path = tmp_path / "rows.csv"
    path.write_text("user_id,item_id,rating,timestamp\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return path


def of_table(path: Path) -> tuple[Loaded, list[Split]]:
    return prepared("dataset=files", f"dataset.interactions={path}", "filter=positive")


@pytest.mark.parametrize(
    "split",
    [
        ["split=random", "split.validation_ratio=0.1"],
        ["split=kfold", "split.folds=3"],
        ["split=sessions"],
        ["split=user_holdout", "split.validation_ratio=0.2"],
    ],
    ids=lambda split: split[0],
)
def test_what_comes_from_the_cache_is_what_was_made(own_cache: Path, split: list[str]) -> None:
    source = "filter=none" if split == ["split=sessions"] else "filter=positive"
    anew, made, again = (prepared(source, *split, use=use) for use in (False, True, True))
    for found in (made, again):
        assert found[0].source == anew[0].source and found[0].effects == anew[0].effects
        assert [one.fingerprint for one in found[1]] == [one.fingerprint for one in anew[1]]
        assert [one.fold for one in found[1]] == [one.fold for one in anew[1]]
    assert_equal(anew[1], again[1])
    assert_equal(anew[0].dataset, again[0].dataset)


def test_stored_fingerprints_are_those_of_the_content(own_cache: Path) -> None:
    for _ in range(2):
        loaded, (split,) = prepared("split.validation_ratio=0.1")
    for value in (loaded.dataset, split.train, split.validation.test, split):
        stored = vars(value).pop("fingerprint")
        assert value.fingerprint == stored


def test_once_is_enough(counted: list[str]) -> None:
    for _ in range(3):
        prepared()
    assert counted == ["load", "split"]
    prepared("split.seed=2")  # the data are known, the split is not
    assert counted == ["load", "split", "split"]
    prepared(use=False)
    assert counted == ["load", "split", "split", "load", "split"]


def test_a_changed_row_is_never_served_from_the_cache(table: Path, counted: list[str]) -> None:
    first, _ = of_table(table)
    before = table.stat()
    text = table.read_text()
    table.write_text(
        text.replace(",4,1000\n", ",5,1000\n", 1) if ",4,1000\n" in text else text.replace(",4,", ",5,", 1)
    )
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert table.stat().st_size == before.st_size
    second, _ = of_table(table)
    assert first.source != second.source
    assert counted.count("load") == 2
    assert (second.source, counted.count("load")) == (of_table(table)[0].source, 2)


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    table: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Files.load

    def changing(self: Files) -> Dataset:
        table.write_text(table.read_text().replace(",4,", ",3,", 1))
        return load(self)

    monkeypatch.setattr(Files, "load", changing)
    of_table(table)
    assert [entry for entry in cache.folder().iterdir() if not entry.name.startswith(".")] == []


def test_all_that_matters_is_in_the_key(own_cache: Path, table: Path) -> None:
    def key(*filters: str, seed: int = 1, **changed: str) -> str | None:
        source = library.make(
            "dataset=files", f"dataset.interactions={table}", *(f"dataset.{n}={v}" for n, v in changed.items())
        )
        return keys.of_data(source, library.make(*filters or ("filter=positive",)), seed)

    assert key() == key(seed=2)
    sampled = "filter.steps=[{_target_: recexp.filters.sample.SampleUsers, ratio: 0.5, n: null}]"
    different = [
        key(),
        key("filter=none"),
        key(explicit="false"),
        key("filter=none", sampled),
        key("filter=none", sampled, seed=2),
        key(items=str(table)),
        key(users=str(table)),
    ]
    assert len({*different}) == len(different) and None not in different


@pytest.mark.parametrize("name", [name for name in options("filter")])
def test_filters_say_whether_they_draw(name: str, electronics: Dataset) -> None:
    """What draws is kept by seed; a filter that draws and does not say so would be served for another seed."""
    dataset = electronics
    if name == "shop":  # it refuses ratings and views
        dataset, _ = library.make("filter=implicit").apply(dataset, seed=1)
        dataset = replace(dataset, interactions=replace(dataset.interactions, events=None))
    for step in library.make(f"filter={name}").steps:
        rng = np.random.default_rng(0)
        before = json.dumps(rng.bit_generator.state)
        dataset = step.apply(dataset, rng=rng)
        assert (json.dumps(rng.bit_generator.state) != before) == step.random, type(step).__name__


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda entry: (entry / "0.npy").write_bytes((entry / "0.npy").read_bytes()[:-8]),
    "flipped": lambda entry: (entry / "0.npy").write_bytes(flipped((entry / "0.npy").read_bytes(), -3)),
    "array gone": lambda entry: (entry / "0.npy").unlink(),
    "content gone": lambda entry: (entry / "content.json").unlink(),
    "content flipped": lambda entry: (entry / "content.json").write_bytes(
        flipped((entry / "content.json").read_bytes(), 200)
    ),
    "content empty": lambda entry: (entry / "content.json").write_bytes(b""),
}


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_entry_is_made_again(
    counted: list[str], damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    expected, (split,) = prepared()
    for entry in cache.folder().iterdir():
        if (entry / "0.npy").exists():
            damage(entry)
    with caplog.at_level(logging.WARNING, "recexp"):
        loaded, (again,) = prepared()
    assert caplog.text.count("cached data are damaged and are prepared again") == 2
    assert (loaded.source, again.fingerprint) == (expected.source, split.fingerprint)
    assert_equal(split, again)
    prepared()
    assert counted == ["load", "split"] * 2


def test_the_command_line_says_that_an_entry_was_damaged(inside: Callable, own_cache: Path, runs: Callable) -> None:
    command = ("dataset=electronics", "algorithm=popularity")
    assert inside(*command).returncode == 0
    for file in cache.folder().glob("*/0.npy"):
        file.write_bytes(flipped(file.read_bytes(), -1))
    done = inside(*command)
    assert done.returncode == 0, done.stderr
    assert "cached data are damaged and are prepared again: 0.npy has changed since it was written" in done.stderr
    first, second = runs()
    assert first.data.metrics["test/ndcg_at_10"] == second.data.metrics["test/ndcg_at_10"]


def test_without_a_place_to_write_all_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECEXP_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, "recexp"):
        assert len(prepared()[1]) == 1
    assert "prepared data could not be cached" in caplog.text


def test_a_full_disk_costs_only_the_entry(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*given: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache.np, "save", full)
    with caplog.at_level(logging.WARNING, "recexp"):
        assert len(prepared()[1]) == 1
    assert "prepared data could not be cached: [Errno 28] No space left on device" in caplog.text
    assert list(cache.folder().glob("*/*.npy")) == []


def entries() -> dict[Path, int]:
    """What there is in the cache, and its bytes."""
    found = [entry for entry in cache.folder().iterdir() if entry.is_dir()]
    return {entry: sum(file.stat().st_size for file in entry.iterdir()) for entry in found}


def test_the_oldest_entries_go(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared()
    old = entries()
    for entry in old:
        os.utime(entry, (1, 1))
    prepared("split.seed=2")  # uses the data, not the split
    second = {entry: size for entry, size in entries().items() if entry not in old}
    monkeypatch.setattr(cache, "LIMIT", sum(entries().values()) + sum(second.values()) // 2)
    prepared("split.seed=3")
    left = entries()
    assert len(old.keys() & left) < len(old)
    assert second.keys() < left.keys() - old.keys(), "those of seed 3 are there too"
    assert sum(left.values()) <= cache.LIMIT


def test_entries_that_others_use_or_remove_are_left_to_them(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    prepared()
    old = [entry for entry in cache.folder().iterdir() if entry.is_dir()]
    monkeypatch.setattr(cache, "LIMIT", 0)
    with FileLock(cache.folder() / f".{old[0].name}.lock"):
        prepared("filter=none")
    assert old[0].is_dir() and not old[1].is_dir()

    def stat(self: Path, **given: object) -> os.stat_result:
        if self.name == "gone":  # removed since the folder was listed
            raise FileNotFoundError(self)
        return found(self, **given)

    (cache.folder() / "gone").mkdir()
    found = Path.stat
    monkeypatch.setattr(Path, "stat", stat)
    cache.Cache()._trim("")
    assert not old[0].is_dir()


def test_log_lines_are_said_again_once_in_each_process(
    own_cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> list[str]:
        caplog.clear()
        prepared()
        return [line for line in caplog.messages if "MinimumRating" in line or "queries" in line]

    with caplog.at_level(logging.INFO, "recexp"):
        first = said()
        assert said() == [] != first
        again = [line for line in caplog.messages if line.startswith("using cached data (")]
        assert again == caplog.messages and all(line.endswith("; its log is above") for line in again)
        monkeypatch.setattr(cached_log, "_logged", set())  # another process
        assert said() == first
        assert said() == []


def test_code_that_is_not_ours_is_not_kept(own_cache: Path, counted: list[str]) -> None:
    class Mine(type(library.make("dataset=electronics"))):
        pass

    mine = Mine(**vars(library.make("dataset=electronics")))
    assert Mine.__module__.partition(".")[0] != "recexp"
    assert keys.of_data(mine, library.make("filter=positive"), 1) is None


def test_no_array_of_train_is_a_window_on_test_rows(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_SMALL", 0)
    for _ in range(2):
        _, (split,) = prepared("split.validation_ratio=0.1")

    def places(value: Any) -> set[str]:
        """The files, or else the memory, that the arrays of rows lie in."""
        found = set()
        for array in arrays(value):
            while isinstance(array.base, np.ndarray) and not isinstance(array, np.memmap):
                array = array.base
            found.add(str(getattr(array, "filename", array.__array_interface__["data"][0])))
        return found

    inner = split.validation
    held = places([split.test, split.target, split.queries, inner.test, inner.target])
    assert all(place.endswith(".npy") for place in held)
    for known in (inner.train.interactions, inner.queries.log, inner.queries.exclude):
        assert places(known) and not places(known) & places([split.test, split.target, inner.test, inner.target])


def test_packing_keeps_texts_and_gaps() -> None:
    rows = Interactions(np.array([0, 1], np.int32), np.array([0, 0], np.int32), np.array([1, np.nan], np.float32), 2, 1)
    columns = {"name": Column.text(["ä\nb", None]), "tags": Column.multi_category([["x", "y"], []])}
    dataset = Dataset("made", rows, np.array(["é", ""], object), np.array([7]), users=columns)
    node, stored = pack(dataset)
    again = unpack(json.loads(json.dumps(node)), stored.__getitem__)
    assert_equal(dataset, again)
    assert again.users["tags"].categories == ("x", "y")
    vars(again).pop("fingerprint")
    assert again.fingerprint == dataset.fingerprint
    with pytest.raises(ValueError, match="NUL"):
        pack(np.array(["a\0b"], object))


def test_processes_that_start_at_once_prepare_once(own_cache: Path) -> None:
    code = """
import recexp
from recexp.datasets.electronics import Electronics
from recexp.prepared import Preparation
load = Electronics.load
def counted(self):
    print("loaded")
    return load(self)
Electronics.load = counted
parts = [recexp.make(name) for name in ("dataset=electronics", "filter=event_values", "split=random")]
with Preparation(*parts, seed=1, cache=True) as preparation:
    print(next(preparation.splits(preparation.load())).fingerprint)
"""
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines = [line for one in started for line in one.communicate(timeout=300)[0].split()]
    assert lines.count("loaded") == 1
    assert len(lines) == 3 and len({*lines}) == 2


def test_runs_with_and_without_cache_are_equal(workplace: Path, runs: Callable) -> None:
    common = (*SMALL, "algorithm=item_knn", "split=kfold", "split.folds=2")
    every = [library.run(*common, f"runner.cache={use}") for use in ("false", "true", "true")]
    for outcomes in zip(*every):
        measured = [{n: v for n, v in one.metrics.items() if not n.startswith("cost/")} for one in outcomes]
        assert measured[0] == measured[1] == measured[2]
    for fold in ("0", "1"):
        tags = [run.data.tags for run in runs() if run.data.tags["fold"] == fold]
        for name in ("recexp.config", "recexp.split", "recexp.data", "recexp.protocol"):
            assert len(tags) == 3 and len({tag[name] for tag in tags}) == 1
