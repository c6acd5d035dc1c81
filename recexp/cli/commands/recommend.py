"""MODEL USER|--users FILE|--all|--history ITEM,... [-n N] [...]: recommend items to one user or to many"""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp.cli import asking
from recexp.cli.parsing import STORE, Parser
from recexp.errors import DataError
from recexp.garbage import uncollected

if TYPE_CHECKING:
    import numpy as np

    from recexp.models.answers import Answers
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
        "--context",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="the context in which they ask, for models that read it, such as weekday=monday",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write a table to FILE.csv, FILE.parquet or FILE.jsonl"
    )
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield item ids, scores and titles, best first; of many users a table, or what was written of it."""
    with uncollected():
        yield from _recommend(given)


def _recommend(given: Namespace) -> Iterator[str]:
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
        context = dict(asking.condition(text, "--context") for text in given.context)
        rows = _many(model, given) if many else [(user[0] if user else None, {})]
        users = _as_known(model, [one for one, _ in rows])
        answers = model.answer(users, given.n, history, [{**context, **told} for _, told in rows])
        columns = answers.columns(users)
        contexts = _told([told for _, told in rows], answers)
        columns |= {name: cells for name, cells in contexts.items() if name not in columns}
        if given.out is not None:
            yield _written(answers, columns, given)
        elif many:
            yield "\t".join(columns)
            yield from _lines(columns)
        else:
            yield from _lines({name: columns[name] for name in ("item_id", "score", "title") if name in columns})


def _many(model: "FittedModel", given: Namespace) -> list[tuple[Any, dict[str, Any]]]:
    """Return users and the contexts that the file tells, in columns that are called like those of the model."""
    if given.all:
        return [(one, {}) for one in model.user_ids.tolist()]
    from recexp.io.id_file import read_rows

    known = model.user_codes
    rows = read_rows(given.users, "user_id", model.read_context, is_known=lambda text: known.code(text) >= 0)
    if not rows:
        raise DataError(f"{given.users}: contains no user ids")
    return rows


def _told(contexts: list[dict[str, Any]], answers: "Answers") -> dict[str, "np.ndarray"]:
    """Return the contexts that the file tells as columns with a row an item: a user may ask in several."""
    import numpy as np

    names = dict.fromkeys(name for context in contexts for name in context)
    cells = {name: np.array([str(context.get(name, "")) for context in contexts], object) for name in names}
    return {name: np.repeat(column, answers.lengths) for name, column in cells.items()}


def _as_known(model: "FittedModel", ids: list[Any]) -> list[Any]:
    """Return the ids as the data have them, those of unknown users as they are."""
    codes = model.user_codes.codes(ids)
    return [model.user_ids[code] if code >= 0 else one for one, code in zip(ids, codes.tolist())]


def _history(model: "FittedModel", words: list[str]) -> list[str]:
    """Return item ids: each word is one, or several with commas between."""
    known = model.item_codes
    return [one for word in words for one in ([word] if known.code(word) >= 0 else word.split(","))]


def _lines(columns: Mapping[str, "np.ndarray"]) -> Iterator[str]:
    cells = [map("{:.6g}".format if name == "score" else str, found.tolist()) for name, found in columns.items()]
    yield from map("\t".join, zip(*cells))


def _written(answers: "Answers", columns: Mapping[str, "np.ndarray"], given: Namespace) -> str:
    """Write the table, and return what is in it."""
    from recexp.io.writing import write_table

    write_table(columns, given.out)
    lengths = answers.lengths
    parts = [f"{given.out}: {lengths.sum():,} rows, lists of {len(lengths):,} users"]
    if short := int((lengths < given.n).sum()):
        parts.append(f"{short:,} of them with fewer than {given.n} items")
    if strange := int((answers.fallback & (lengths > 0)).sum()):
        parts.append(f"{strange:,} from the fallback")
    return ", ".join(parts)
