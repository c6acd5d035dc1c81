"""Reads yaml that may come from someone else: its size, and its size after expansion, are checked first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recexp import limits
from recexp.errors import ConfigError, one_line

_LEVELS = ("*.yaml", "*/*.yaml", "*/*/*.yaml")


def below(folder: Path) -> list[Path]:
    """Return the yaml of a config folder: `config.yaml`, `algorithm/mine.yaml`, `hydra/launcher/mine.yaml`."""
    return [path for level in _LEVELS for path in sorted(folder.glob(level))]


def read_text(path: Path, where: str = "") -> str:
    """Return the text of a yaml file that keeps to the limits; raises ConfigError, which names the file.

    `where` is what it is called in errors, else its path.
    """
    where = where or str(path)
    if path.stat().st_size > limits.get("yaml_kib") << 10:
        raise ConfigError(f"{where}: is larger than {limits.get('yaml_kib')} KiB; {limits.raising('yaml_kib')}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{where}: is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from error
    _check(text, where)
    return text


def events(text: str, where: str) -> Iterator[Any]:
    """Yield the parse events of a yaml text, which need little memory; raises ConfigError for invalid yaml."""
    import yaml  # which help does without

    try:
        yield from yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # libyaml's, where it is there
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{where}: is not valid yaml: {one_line(error)}") from error


def _check(text: str, where: str) -> None:
    """Raise ConfigError for more nodes or levels than the limits, or an alias of what it is in."""
    import yaml

    most, levels = limits.get("yaml_nodes"), limits.get("yaml_levels")
    total, sizes = 0, dict[str | None, int]()
    open_nodes: list[tuple[str | None, int]] = []
    for event in events(text, where):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise ConfigError(f"{where}: *{event.anchor} refers to a node that contains it")
            total += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, total))
            total += 1
        elif isinstance(event, yaml.ScalarEvent):
            sizes |= {event.anchor: 1} if event.anchor else {}
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            sizes |= {anchor: total - before} if anchor else {}
        if total > most:
            raise ConfigError(f"{where}: has more than {most:,} nodes; {limits.raising('yaml_nodes')}")
        if len(open_nodes) > levels:
            raise ConfigError(f"{where}: is nested more than {levels} levels deep; {limits.raising('yaml_levels')}")
