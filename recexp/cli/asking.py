"""What the commands that ask a model share: which model, and what may be in its lists."""

import logging
import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recexp.cli.parsing import Parser
from recexp.errors import ConfigError, ModelError, RecexpError, StoreError, error_message

if TYPE_CHECKING:
    from recexp.models.fitted import FittedModel

log = logging.getLogger(__name__)

MODEL = (
    "MODEL is a folder of a saved model, a run's id or its beginning, runs:/ID, models:/NAME@ALIAS or\n"
    "models:/NAME/VERSION. With --best, MODEL is left out."
)


def add_options(parser: Parser) -> None:
    """Take what says which model is asked, and for what items."""
    parser.add_argument("-n", type=_count, default=10, metavar="N", help="number of items; default: %(default)s")
    parser.add_argument(
        "--best", metavar="EXPERIMENT", help="the best model of an experiment, the first in recexp compare"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="COLUMN=NAME",
        help="only items of this category; NAME,NAME: any of these; if repeated, all conditions must hold",
    )
    parser.add_argument(
        "--price",
        metavar="[COLUMN=]LOW:HIGH",
        help="only items with a price in this range, both ends included; one may be omitted: 100: or :50; COLUMN: the "
        "column of prices, where it is not called price and there are several",
    )
    parser.add_argument("--exclude", metavar="FILE", help="items to exclude: one id per line, or a column item_id")


def name_and_rest(given: Namespace) -> tuple[str | None, list[str]]:
    """Return the word that names the model, None with --best, and the other words."""
    return (None, given.words) if given.best is not None else (next(iter(given.words), None), given.words[1:])


@contextmanager
def asked_model(name: str | None, given: Namespace) -> "Iterator[FittedModel]":
    """Yield the model of that name, or the best of an experiment, which lists only what it may.

    Whatever a damaged model raises becomes a ModelError.
    """
    conditions, prices = [condition(text, "--only") for text in given.only], _prices(given.price)
    with _best(given) if name is None else _named(name, given) as folder:
        from recexp.models.fitted import FittedModel

        model = FittedModel.load(folder)
        try:
            if prices is not None:
                column, low, high = prices
                model = model.priced(low, high, column=column)
            yield _limited(model, conditions, given.exclude)
        except RecexpError:
            raise
        except Exception as error:  # whatever comes of numbers that do not fit together
            told = " ".join(error_message(error).split())[:200]
            raise ModelError(f"{name or folder}: the model cannot make a list: {told}") from error


def _store(given: Namespace) -> str | None:
    """Return the address of the store that the overrides name, or of the usual one."""
    from recexp.history import rebuild

    tracking, others = rebuild.store_and_overrides(given.overrides)
    if others:
        raise ConfigError(f"{others[0]}: only tracking.uri=URI can be set here; a model keeps its config")
    return tracking.uri


@contextmanager
def _named(name: str, given: Namespace) -> "Iterator[Path]":
    """Yield the saved model's folder that `name` means; of a folder the store is not looked for."""
    from recexp.history import references

    here = Path(name).is_dir()
    uri = None if here and not given.overrides else _store(given)  # which refuses what cannot be set
    with references.open_model(name, None if here else uri) as folder:
        yield folder


@contextmanager
def _best(given: Namespace) -> "Iterator[Path]":
    """Yield the saved model's folder of the best run of an experiment."""
    from recexp.comparison import best_run
    from recexp.history import references
    from recexp.history.archive import Archive

    with Archive(_store(given)) as archive:
        if given.best not in archive.experiments().values():
            raise StoreError(f"--best: {archive.none_such(given.best)}: give --best NAME")
        run, why, left_out = best_run(archive, given.best)
        log.info("%s", why)
        for note in left_out:
            log.warning("%s", note)
        yield references.folder_of_model(archive, run)


def _limited(model: "FittedModel", conditions: Sequence[tuple[str, str]], exclude: str | None) -> "FittedModel":
    """Return the model that lists nothing but what fits the conditions, and nothing of the file `exclude`."""
    from recexp.io.id_file import read_ids

    if conditions:
        wanted: dict[str, list[str]] = {}
        for column, names in conditions:
            known = model.item_table.categories.get(column)
            whole = known is not None and names in known.categories  # a name may hold a comma
            wanted.setdefault(column, []).extend([names] if whole else names.split(","))
        model = model.only(wanted)
    if exclude is not None:
        ids = read_ids(exclude, "item_id", is_known=lambda text: model.item_codes.code(text) >= 0)
        if not ids:
            log.warning("%s has no ids: nothing is excluded", exclude)
        model = model.without(ids)
    return model


def condition(text: str, option: str) -> tuple[str, str]:
    """Return a column and what it must hold, from the word after `option`. Raises ConfigError."""
    column, equals, names = text.partition("=")
    if not (column and equals and names):
        example = "category=phones" if option == "--only" else "weekday=monday"
        kind = "NAME" if option == "--only" else "VALUE"
        raise ConfigError(f"{option}: must be COLUMN={kind}, such as {example} (got {text})")
    return column, names


def _prices(text: str | None) -> tuple[str | None, float | None, float | None] | None:
    """Return the column, the lowest and the highest price, None for what is left out; None where no price is given."""
    if text is None:
        return None
    column, equals, bounds = text.rpartition("=")
    low, colon, high = bounds.partition(":")
    number = r"\d+(\.\d+)?"
    if (
        bool(column) != bool(equals)
        or not colon
        or not (low or high)
        or not all(re.fullmatch(number, end) for end in (low, high) if end)
    ):
        raise ConfigError(f"--price: must be LOW:HIGH or COLUMN=LOW:HIGH, such as 20:50, 20: or :50 (got {text})")
    return (column or None, float(low) if low else None, float(high) if high else None)


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise ConfigError(f"-n: must be a number from 1 (got {text})")
    return int(text)
