"""MODEL USER|--users FILE|--all|--history ITEM,... [-n N] [...]: recommend items to one user or to many"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp.cli import asking
from recexp.cli.parsing import STORE, Parser
from recexp.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from recexp.models.fitted import FittedModel


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser(
        "recommend",
        __doc__,
        example="recexp recommend 287f36a5 --users customers.csv -n 20 --only category=phones --out lists.parquet",
        words=(0, 2),
        overrides=STORE,
        notes=asking.MODEL,
    )
    asking.add_options(parser)
    parser.add_argument("--users", metavar="FILE", help="user ids: one per line, or a column user_id, or FILE:COLUMN")
    parser.add_argument("--all", action="store_true", help="all users known to the model")
    parser.add_argument(
        "--history",
        action="append",
        metavar="ITEM,...",
        help="item ids, oldest first: for a person without an id, or to replace a known user's history",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write a table to FILE.csv, FILE.parquet or FILE.jsonl"
    )
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield item ids, scores and titles, best first; of many users a table, or what was written of it."""
    if given.out is not None:
        from recexp.io.writing import check_writable

        check_writable(given.out, "--out")
    name, user = asking.name_and_rest(given)
    many = given.users is not None or given.all
    asked = [*user, *(["--users"] if given.users is not None else []), *(["--all"] if given.all else [])]
    if len(asked) > 1 or (many and given.history):
        parser().error("give one of USER, --users and --all; --history goes with USER, or alone")
    if not (asked or given.history) or (name is None and given.best is None):
        parser().error(f"got {' '.join(given.arguments) or 'nothing'}")
    with asking.asked_model(name, given) as model:
        history = None if given.history is None else [_history(model, given.history)]
        users = _many(model, given) if many else _as_known(model, user or [None])
        table = model.recommend_many(users, given.n, history)
        if given.out is not None:
            yield _written(table, len(users), given)
        elif many:
            yield "\t".join(table.columns)
            yield from _lines(table)
        else:
            yield from _lines(table[[name for name in ("item_id", "score", "title") if name in table.columns]])


def _many(model: "FittedModel", given: Namespace) -> list[Any]:
    if given.all:
        known: list[Any] = model.user_ids.tolist()
        return known
    from recexp.io.id_file import read_ids

    ids = read_ids(given.users, "user_id", is_known=lambda text: model.user_codes.code(text) >= 0)
    if not ids:
        raise DataError(f"{given.users}: contains no user ids")
    return _as_known(model, ids)


def _as_known(model: "FittedModel", ids: list[Any]) -> list[Any]:
    """Return the ids as the data have them, those of unknown users as they are."""
    codes = model.user_codes.codes(ids)
    return [model.user_ids[code] if code >= 0 else one for one, code in zip(ids, codes.tolist())]


def _history(model: "FittedModel", words: list[str]) -> list[str]:
    """Return item ids: each word is one, or several with commas between."""
    known = model.item_codes
    return [one for word in words for one in ([word] if known.code(word) >= 0 else word.split(","))]


def _lines(table: "pd.DataFrame") -> Iterator[str]:
    columns = [map("{:.6g}".format if name == "score" else str, table[name].tolist()) for name in table.columns]
    yield from map("\t".join, zip(*columns))


def _written(table: "pd.DataFrame", n_users: int, given: Namespace) -> str:
    """Write the table, and return what is in it."""
    from recexp.io.writing import write_table

    write_table(table, given.out)
    lengths = table.groupby("user_id", dropna=False)["rank"].max()
    strange = table.loc[table["fallback"], "user_id"].nunique(dropna=False)
    told = [f"{given.out}: {len(table):,} rows, lists of {n_users:,} users"]
    if short := n_users - int((lengths == given.n).sum()):
        told.append(f"{short:,} of them with fewer than {given.n} items")
    if strange:
        told.append(f"{strange:,} from the fallback")
    return ", ".join(told)
