"""Each split does what the picture in its docstring shows."""

import importlib
import inspect
import pkgutil
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

import recexp.splits
from recexp.config import options
from recexp.config.building import build
from recexp.data import Column, Dataset, Interactions, Split
from recexp.splits.base import Splitter

MARKS = {"(": "validation", "[": "test", "<": "history"}
YAML = {name: OmegaConf.load(path) for name, path in options("split").items()}


def classes() -> list[type]:
    modules = [importlib.import_module(m.name) for m in pkgutil.iter_modules(recexp.splits.__path__, "recexp.splits.")]
    found = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    return sorted((c for c in found if issubclass(c, Splitter) and not inspect.isabstract(c)), key=lambda c: c.__name__)


def parse(doc: str) -> tuple[dict, dict, list[dict]]:
    """Return the settings, the rows before as {(line, time): item}, and {(line, time): part} for each panel after."""
    text = re.search(r"With ([^:]*)::", doc)[1]
    settings = {
        key: float(v) if "." in v else int(v) if v.isdigit() else v for key, v in re.findall(r"(\w+)=(\w[\w.]*)", text)
    }
    lines = [line.strip() for line in doc[doc.index("::") :].splitlines()[1:]]
    lines = lines[1 : lines.index("", 1) if "" in lines[1:] else None]
    assert lines[0].startswith("time")
    panels = [{} for _ in lines[0].split("|")]
    for line in lines[1:]:
        name, rest = line.split(maxsplit=1)
        for panel, cells in zip(panels, rest.split("|"), strict=True):
            panel.update({(name, time): cell for time, cell in enumerate(cells.split(), 1) if cell != "."})
    before, *after = panels
    for panel in after:
        assert all(panel[at].strip("()[]<>") == item for at, item in before.items()), "items before and after differ"
    return settings, before, after


def dataset(rows: dict, *, of_sessions: bool) -> Dataset:
    """Rows in time order, as a file would hold them; with `of_sessions` a line is a session of the one user."""
    names, items = sorted({name for name, _ in rows}), sorted(set(rows.values()))
    order = sorted(rows, key=lambda at: at[1])
    lines = np.array([names.index(name) for name, _ in order], np.int32)
    users = np.zeros_like(lines) if of_sessions else lines
    interactions = Interactions(
        users=users,
        items=np.array([items.index(rows[at]) for at in order], np.int32),
        values=np.ones(len(order), np.float32),
        n_users=1 if of_sessions else len(names),
        n_items=len(items),
        timestamps=np.array([time for _, time in order], np.int64),
        sessions=lines if of_sessions else None,
    )
    ids = np.array(["all"] if of_sessions else names, dtype=object)
    return Dataset("tiny", interactions, ids, np.array(items, dtype=object))


def at(part: Dataset | Interactions, names: list[str]) -> set[tuple[str, int]]:
    """The (line, time) of each row, by which a row of a picture is known."""
    rows = part.interactions if isinstance(part, Dataset) else part
    lines = rows.users if rows.sessions is None else rows.sessions
    return {(names[line], int(time)) for line, time in zip(lines, rows.timestamps, strict=True)}


def parts(shown: dict) -> dict[str, set]:
    """The rows of each part; history belongs to the test, or to validation, as its line does."""
    found = {name: {where for where, cell in shown.items() if cell.startswith(mark)} for mark, name in MARKS.items()}
    tested = {line for line, _ in found["test"]}
    found["test history"] = {(line, time) for line, time in found["history"] if line in tested}
    found["validation history"] = found.pop("history") - found["test history"]
    found["train"] = set(shown) - set().union(*found.values())
    return found


def check(split: Split, shown: dict, names: list[str]) -> None:
    part = parts(shown)
    assert at(split.test, names) == part["test"]
    assert at(split.train, names) == part["train"] | part["validation"] | part["validation history"]
    assert (split.validation is not None) == bool(part["validation"])
    if split.validation is not None:
        assert at(split.validation.test, names) == part["validation"]
        assert at(split.validation.train, names) == part["train"]
    if split.queries.log.sessions is None:
        assert at(split.queries.log, names) == set(shown) - part["test"]
        for query, user in enumerate(split.queries.users):
            rows = np.arange(split.queries.start[query], split.queries.stop[query])
            known = {where for where in set(shown) - part["test"] if where[0] == names[user]}
            assert at(split.queries.log.take(rows), names) == known


def splitter(cls: type, settings: dict) -> Splitter:
    node = next(node.copy() for node in YAML.values() if node._target_ == f"{cls.__module__}.{cls.__qualname__}")
    node.update({"seed": 1, **settings})
    return build(OmegaConf.to_container(node, resolve=True), Splitter, "split")


def with_fold(data: Dataset, shown: dict, names: list[str]) -> Dataset:
    """Return the dataset with the column that says what each row of the picture is for."""
    rows = data.interactions
    marks = [shown[names[user], int(time)][0] for user, time in zip(rows.users, rows.timestamps, strict=True)]
    fold = Column.category([MARKS.get(mark, "train") for mark in marks])
    return replace(data, interactions=replace(rows, context={"fold": fold}))


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_split_does_what_its_picture_shows(cls: type, tmp_path: Path) -> None:
    settings, before, after = parse(inspect.getdoc(cls))
    names = sorted({name for name, _ in before})
    if cls.__name__ == "Predefined":
        for mark, name in (("[", "test"), ("(", "validation")):
            lines = [
                f"{user},{cell.strip('()[]')},{time}" for (user, time), cell in after[0].items() if cell[0] == mark
            ]
            (tmp_path / name).write_text("\n".join(["user_id,item_id,timestamp", *lines]))
            settings[name] = str(tmp_path / name)
    data = dataset(before, of_sessions=cls.__name__ == "Sessions")
    if cls.__name__ == "Parts":
        data = with_fold(data, after[0], names)
    splits = list(splitter(cls, settings).split(data))
    assert len(splits) == len(after)
    for split, shown in zip(splits, after, strict=True):
        check(split, shown, names)


def test_session_queries_are_the_prefixes_of_the_picture() -> None:
    cls = next(cls for cls in classes() if cls.__name__ == "Sessions")
    settings, before, _ = parse(inspect.getdoc(cls))
    [split] = splitter(cls, settings).split(dataset(before, of_sessions=True))
    letters, queries = split.train.item_ids, split.queries
    asked = [
        ("".join(letters[queries.log.items[queries.start[q] : queries.stop[q]]]), letters[split.target.indices[q]])
        for q in range(len(queries))
    ]
    assert asked == [("p", "r"), ("pr", "q")]
    validation = split.validation
    assert letters[validation.queries.log.items[validation.queries.start]] == ["q"]
    assert letters[validation.target.indices] == ["p"]
