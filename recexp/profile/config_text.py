"""The dataset yaml that reads a profiled file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recexp.errors import DataError
from recexp.io.header import Role
from recexp.profile.profiling import Profile

_PLAIN = r"[^\W\d_]\w*([ .-][^\W\d]\w*)*"
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "none", "nan", "y", "n"}
_ROLES: tuple[Role, ...] = ("user", "item", "rating", "quantity", "timestamp", "event", "session")


def config_text(profile: Profile) -> str:
    """Return the yaml; it contains only values that differ from the defaults."""
    return "\n".join(_lines(profile)) + "\n"


def _lines(profile: Profile) -> Iterator[str]:
    facts = profile.facts
    if facts is None:
        raise DataError(f"{profile.path}: has no column of users or none of items")
    yield f"# {profile.path.name}: {facts.rows:,} rows, {facts.users:,} users, {facts.items:,} items"
    yield "defaults: [files]"
    yield f"interactions: {_scalar(str(profile.path))}"
    for role, side in profile.sides.items():
        yield f"{role}s: {_scalar(str(side.path))}"
    yield "columns:"
    for role in _ROLES:
        column = profile.roles.get(role)
        shown = "null" if column is None else column if not profile.header else _scalar(column)
        yield f"  {role}: {shown}"
    if not _guessed_again(profile):
        yield f"separator: {_scalar(profile.separator or '')}"
    if profile.decimal == ",":
        yield 'decimal: ","'
    if profile.encoding not in (None, "utf-8"):
        yield f"encoding: {profile.encoding}"
    if profile.times is not None and profile.times.time_format is not None:
        sure = "" if profile.times.sure else f"   # {profile.times.order}? no row tells day and month apart"
        yield f"time_format: {json.dumps(profile.times.time_format)}{sure}"
    if facts.no_user:
        yield f"missing_user: drop   # {facts.no_user:,} rows, such as those of guests"
    if facts.duplicates:
        yield f"duplicates: keep   # {facts.duplicates:,} rows repeat one of the same user, item, time and event"
    if profile.price is not None:
        yield "context:"
        yield f"  {_scalar(profile.price)}: price"
    for role, side in profile.sides.items():
        if side.id_column != profile.roles[role]:
            yield f"{role}_id: {_scalar(side.id_column)}"
        yield f"{role}_features:"
        for column, kind in side.kinds.items():
            yield f"  {_scalar(column)}: {kind}"


def _guessed_again(profile: Profile) -> bool:
    """Whether the separator is found when the file is read."""
    return profile.separator is None or profile.separator in "\t,;| "


def _scalar(text: str) -> Any:
    """Return text as yaml has it, in quotes where it needs them."""
    plain = re.fullmatch(_PLAIN, text) or re.fullmatch(r"[\w./-]*[^\W\d][\w./-]*", text)
    bare = plain is not None and text.lower() not in _WORDS and not text.startswith("-")
    return text if bare else json.dumps(text, ensure_ascii=False)


def option_name(path: Path) -> str:
    """Return the name of the yaml of a file."""
    stem = re.sub(r"\.(gz|csv|tsv|txt|json|jsonl|ndjson|parquet|pq|xlsx|xlsm)$", "", path.name.removesuffix(".gz"))
    return re.sub(r"\W+", "_", stem).strip("_").lower() or "mine"
