"""The result in a sentence: the best model, those not significantly worse, and how far a simple model is behind."""

from collections.abc import Sequence

from recexp.comparison.results import Comparison, Leaderboard, RankedRow
from recexp.metric_names import pretty

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_WORSE = "significantly worse"


def summaries(comparison: Comparison) -> list[str]:
    """Return a sentence for each dataset."""
    return [_summary(comparison, board) for board in comparison.boards]


def _summary(comparison: Comparison, board: Leaderboard) -> str:
    best, *others = board.rows
    value = f"{pretty(comparison.metric)} {best.mean:.4f}"
    if not others:
        return f"{best.row.label} on {board.group.setting}: {value}; there is no other model to compare with."
    parts = [f"{best.row.label} is best on {board.group.setting} ({value})"]
    if comparison.options.baseline is None:
        parts += _against_best(board)
    else:
        parts += _against_baseline(board)
    simple = _simple_model(comparison, board)
    pair = board.against_reference(simple.row.label)
    if simple is not best and (comparison.options.baseline is not None or pair is None or pair.ahead < 0):
        behind = f"{_behind(simple.mean, best.mean)} behind"
        if parts[-1] == f"{simple.row.label} is {_WORSE}":
            parts[-1] += f", {behind}"
        else:
            parts.append(f"{simple.row.label} is {behind}")
    return f"{'; '.join(parts)}."


def _against_best(board: Leaderboard) -> list[str]:
    tested = [pair for ranked in board.rows[1:] if (pair := board.against_reference(ranked.row.label))]
    better = [pair.first for pair in tested if pair.ahead > 0]
    alike = [pair.first for pair in tested if pair.ahead == 0 and pair.users]
    apart = [pair.first for pair in tested if not pair.users]
    parts = []
    if better:
        parts.append(f"on the splits that both have, {_are(better)} significantly better")
    if alike:
        parts.append(f"{_are(alike)} not significantly worse")
    if apart:
        parts.append(f"{_are(apart)} not tested against it, because they share no split")
    if tested and not parts:
        which = "all others" if len(tested) == len(board.rows) - 1 else f"the next {len(tested)}"
        return [f"{which} are {_WORSE}" if len(tested) > 1 else f"{tested[0].first} is {_WORSE}"]
    return parts


def _against_baseline(board: Leaderboard) -> list[str]:
    tested = [pair for ranked in board.rows if (pair := board.against_reference(ranked.row.label))]
    ahead = sum(pair.ahead > 0 for pair in tested)
    if not tested:
        return []
    if len(tested) == 1:
        return [f"{tested[0].first} is {'' if ahead else 'not '}significantly better than {board.reference}"]
    n = _number(len(tested))
    none, every = (
        ("neither model", "both models") if len(tested) == 2 else (f"none of the {n} models", f"all {n} models")
    )
    who = {0: none, len(tested): every}.get(ahead, f"{_number(ahead)} of the {n} models")
    return [f"{who} {'is' if ahead < 2 else 'are'} significantly better than {board.reference}"]


def _simple_model(comparison: Comparison, board: Leaderboard) -> RankedRow:
    """Return the row that shows what little effort achieves: the baseline, the fallback, or else the last."""
    if comparison.options.baseline is not None:
        return next(ranked for ranked in board.rows if ranked.row.label == board.reference)
    newest = board.group.newest
    simple = {newest.tags.get(component) for component in newest.subject[1:]}
    return next((ranked for ranked in board.rows[1:] if ranked.row.key.subject in simple), board.rows[-1])


def _behind(value: float, best: float) -> str:
    """Return how far a value is from the best one: in percent of that, or as it is where that says nothing."""
    difference = abs(best - value)
    if best <= 0 or value < 0:
        return f"{difference:.4f}"
    share = difference / best
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"


def _are(labels: Sequence[str]) -> str:
    """Return who, and a verb: `slim and two others are`."""
    first, *others = labels
    if not others:
        return f"{first} is"
    if len(others) == 1:
        return f"{first} and {others[0]} are"
    return f"{first} and {_number(len(others))} others are"


def _number(n: int) -> str:
    return _NUMBERS[n] if n < len(_NUMBERS) else str(n)
