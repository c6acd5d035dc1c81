"""The words of a command as Hydra reads them, as plain data: what a sweep holds, and what a single value is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from recexp.config.composing import hydra_config, translate_errors
from recexp.errors import ConfigError


class Interval(NamedTuple):
    """What `interval(1,100)` stands for; both ends are in it."""

    low: float
    high: float


@dataclass(frozen=True)
class Override:
    """One word of a command.

    Attributes
    ----------
    key : what it sets, with the sign before it: `algorithm.k`, `+tuning`.
    value : what it sets it to; None in a sweep.
    sweep : its values in a sweep: whole numbers in steps of 1 as a range, others as a list; None: it is no sweep.
    texts : the values of a list as they would be typed.
    log : whether a sweep is tagged to be searched on a logarithmic scale.
    """

    key: str
    value: Any = None
    sweep: Interval | range | list[Any] | None = None
    texts: Sequence[str] = ()
    log: bool = False


def parse(words: Sequence[str]) -> list[Override]:
    """Return overrides as Hydra reads them, `glob(*)` with what it stands for; raises ConfigError."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    with translate_errors(words), hydra_config():
        parser = OverridesParser.create(GlobalHydra.instance().config_loader())
        return [_as_plain(override) for override in parser.parse_overrides(list(words))]


def check_ids(words: Sequence[str], fields: Sequence[str]) -> None:
    """Raise ConfigError for a word of one of these fields that Hydra takes for another id: 1_96 for 196, -0 for 0."""
    for word in words:
        key, _, text = word.lstrip("+").partition("=")
        digits = text.replace("_", "").lstrip("+")
        number = "0" if digits == "-0" else digits
        if key.rpartition(".")[2] in fields and number.removeprefix("-").isdecimal() and number != text:
            raise ConfigError(f"{word}: read as the number {number}; ids that are text are quoted: {key}=\"'{text}'\"")


def _as_plain(override: Any) -> Override:
    from hydra.core.override_parser.types import IntervalSweep, RangeSweep

    key, sweep = override.get_key_element(), override.value()
    if not override.is_sweep_override():
        return Override(key, sweep)
    log = "log" in getattr(sweep, "tags", ())  # a glob has none
    if isinstance(sweep, IntervalSweep) and sweep.start is not None and sweep.end is not None:
        return Override(key, sweep=Interval(sweep.start, sweep.end), log=log)
    if isinstance(sweep, RangeSweep) and sweep.step == 1 and type(sweep.start) is type(sweep.stop) is int:
        return Override(key, sweep=range(sweep.start, sweep.stop), log=log)
    values = [getattr(value, "text", value) for value in override.sweep_iterator()]  # the text of a quoted string
    return Override(key, sweep=values, texts=list(override.sweep_string_iterator()), log=log)
