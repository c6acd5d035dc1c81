"""Migrates a stored config to today's classes: new fields get today's values, removed fields are dropped."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.dataclasses import is_pydantic_dataclass

from recexp.config import options
from recexp.config.building import imported
from recexp.config.composing import compose, plain, read, resolved
from recexp.errors import ConfigError
from recexp.history.differences import Difference, compare_values
from recexp.tracking import flatten


class Completion:
    """Completes the parts of one config, and remembers what it added and left out, by dotted name.

    Parameters
    ----------
    root : the config, in which values may refer to others (`${seed}`).
    choices : the options that were chosen, by group; of those with the same class they come first.
    """

    def __init__(self, root: Mapping[str, Any], choices: Mapping[str, str]) -> None:
        self._root, self._choices = root, choices
        self._new: dict[str, Any] = {}
        self._gone: dict[str, Any] = {}

    @property
    def changes(self) -> list[Difference]:
        """The differences from the config as it was stored."""
        return compare_values(flatten(self._gone), flatten(self._new))

    def keys(self, allowed: list[str]) -> dict[str, Any]:
        """Return the config with only the `allowed` top-level keys."""
        missing = [key for key in allowed if key not in self._root]
        self._gone |= {key: value for key, value in self._root.items() if key not in allowed}
        self._new |= {key: value for key, value in (plain(compose()) if missing else {}).items() if key in missing}
        return {key: value for key, value in {**self._root, **self._new}.items() if key in allowed}

    def part(self, value: Any, where: str, group: str) -> Any:
        """Return a node and its nested nodes with the fields of their classes; `group` has the options of the node."""
        if isinstance(value, list):
            return [self.part(item, f"{where}.{number}", group) for number, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        node = {key: self.part(item, f"{where}.{key}", group) for key, item in value.items()}
        fields = _fields(node, where)
        if fields is None:
            return node
        for name in [name for name in node if name not in fields]:
            self._gone[f"{where}.{name}"] = node.pop(name)
        if any(name not in node for name in fields):
            today = self._today(str(node["_target_"]), group)
            for name in [name for name in fields if name not in node and today.get(name, "???") != "???"]:
                node[name] = self._new[f"{where}.{name}"] = resolved(today[name], self._root)
        return node

    def _today(self, target: str, group: str) -> dict[str, Any]:
        """Return the node of a class in the yaml of a group, {} where there is none."""
        paths = options(group)
        chosen = self._choices.get(group)
        for path in [paths[name] for name in sorted(paths, key=lambda name: name != chosen)]:
            for node in _nodes(read(path)):
                if node.get("_target_") == target:
                    return node
        return {}


def _fields(node: dict[str, Any], where: str) -> list[str] | None:
    """Return what the class of a node takes, and its name; None where it has none, or none that can be known."""
    try:
        cls = imported(str(node["_target_"]), where) if "_target_" in node else None
    except ConfigError:  # whoever builds it says so
        return None
    if not (isinstance(cls, type) and is_pydantic_dataclass(cls)):
        return None
    return ["_target_", *(field.name for field in dataclasses.fields(cls))]


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _nodes(item)
