"""A profile as lines for a person."""

from collections.abc import Iterator, Mapping

from recexp.io.header import listed
from recexp.log_statistics import in_words
from recexp.profile.facts import Facts
from recexp.profile.guess import Look
from recexp.profile.profiling import Profile, Side

_SIGNS = {"\t": "tab", " ": "blank", None: ""}


def column_lines(profile: Profile) -> Iterator[str]:
    """Yield the format of the file, and a line for each column."""
    sign = _SIGNS.get(profile.separator, repr(profile.separator))
    ways = [f"{sign} between columns" if sign else "", profile.encoding or "", "" if profile.header else "no header"]
    ways += ["decimal commas" if profile.decimal == "," else ""]
    order = profile.times.order if profile.times is not None else ""
    yield f"{profile.path}: {', '.join(filter(None, [*ways, order and f'dates {order}'])) or 'a table'}"
    yield ""
    wide = max(map(len, [*(one.name for one in profile.looks), "column"])) + 2
    roles: dict[str | None, str] = {profile.price: "price"} | {name: role for role, name in profile.roles.items()}
    yield f"  {'column':<{wide}}{'read as':<12}{'kind':<9}{'empty':>7}  examples"
    for one in profile.looks:
        empty = f"{100 * one.empty:.1f}%" if one.empty else ""
        yield (
            f"  {one.name:<{wide}}{roles.get(one.name, '-'):<12}{one.kind:<9}{empty:>7}  "
            f"{', '.join(example[:24] for example in one.examples)}"
        ).rstrip()


def fact_lines(facts: Facts) -> Iterator[str]:
    """Yield counts, a line each."""
    yield f"  rows        {facts.rows:,}"
    yield f"  users       {facts.users:,}"
    yield f"  items       {facts.items:,}"
    yield f"  density     {_percent(facts.density)} of all pairs of a user and an item"
    if facts.span:
        yield f"  dates       {facts.span[0]:%Y-%m-%d %H:%M} to {facts.span[-1]:%Y-%m-%d %H:%M}"
    if facts.repeated:
        again = f"; {facts.duplicates:,} at the same time too" if facts.duplicates else ""
        yield f"  repeats     {facts.repeated:,} rows of a user and an item that an earlier row has{again}"
    if (values := facts.values) is not None:
        yield f"  values      {values.low:g} to {values.high:g}, median {values.median:g}"
        if values.negative or values.zero or values.empty:
            yield f"              {values.negative:,} below 0, {values.zero:,} are 0, {values.empty:,} empty"
    if facts.no_user:
        yield f"  no user     {facts.no_user:,} rows ({_percent(facts.no_user / facts.rows)}), such as those of guests"


def statistic_lines(found: Mapping[str, float]) -> Iterator[str]:
    """Yield the statistics of a log, a line a group."""
    for name, text in in_words(found):
        yield f"  {name:<11} {text}"


def note_lines(profile: Profile) -> Iterator[str]:
    """Yield warnings and hints about the file."""
    facts = profile.facts
    if facts is None:
        return
    zeros = [one.name for one in profile.looks if one.zeros and one.name in _ids(profile)]
    if zeros:
        yield f"ids in {listed(zeros)} have leading zeros; they are kept"
    if profile.doubt:
        yield (
            f"column {profile.roles['rating']} is named a rating but looks like a quantity: {profile.doubt}; "
            f"dataset.columns.rating=null dataset.columns.quantity={profile.roles['rating']} reads it as one"
        )
    if "timestamp" in profile.roles and profile.times is None:
        yield (
            f"times in {profile.roles['timestamp']} are in several forms or in an unknown form; "
            "set dataset.time_format='...', or ignore them with dataset.columns.timestamp=null"
        )
    elif profile.times is not None and not profile.times.sure:
        yield f"no row tells day and month apart; {profile.times.order} is assumed: check time_format"
    if profile.negative_prices:
        yield f"{profile.negative_prices:,} rows have a negative price in {profile.price}; correct them"
    if facts.no_item:
        yield f"{facts.no_item:,} rows have no item and will be refused; complete or remove them"
    if facts.top_user > 0.2:
        yield f"one user has {_percent(facts.top_user)} of the rows: it may stand for guests"
    if doubtful := [one.name for one in profile.looks if one.commas is None]:
        yield f"commas in {listed(doubtful)} are decimal or part thousands; dataset.decimal=',' reads them as decimal"
    for role, side in profile.sides.items():
        yield from _side_lines(role, side, profile, facts)


def _ids(profile: Profile) -> set[str]:
    return {profile.roles[role] for role in ("user", "item", "session") if role in profile.roles}


def _side_lines(role: str, side: Side, profile: Profile, facts: Facts) -> Iterator[str]:
    n = facts.users if role == "user" else facts.items
    missing = f"{side.missing:,} of {n:,} {role}s are not in it" if side.missing else f"all {n:,} {role}s are in it"
    yield f"{side.path}: {side.rows:,} rows by {side.id_column}; {missing}"
    if side.twice:
        yield f"{side.path}: {side.twice:,} rows have an id that is empty or comes twice and will be refused"
    if side.encoding and side.encoding != profile.encoding:
        both = f"{side.path} is {side.encoding} and {profile.path} {profile.encoding}"
        yield f"{both}; all files must have the same encoding; convert one of them"
    for name, n in side.negative.items():
        yield f"{side.path}: {n:,} rows have a negative price in {name}; revenue and reranker=price_range refuse these"
    numbers = [name for name, kind in side.kinds.items() if kind in ("numeric", "price")]
    if profile.decimal == "," and not side.decimals and numbers:
        yield f"{side.path}: no number has a comma; check {listed(numbers)}, as all files share one decimal sign"


def unread(looks: list[Look]) -> str:
    """Return columns with an example each, for a message."""
    return listed([f"{one.name} ({', '.join(one.examples[:2])})" for one in looks])


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
