"""A comparison as LaTeX tables, for a paper."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from recexp.comparison.commands import merged
from recexp.comparison.comparison import TESTED
from recexp.comparison.results import Comparison, Leaderboard, RankedRow
from recexp.metric_names import pretty
from recexp.statistics import CORRECTIONS
from recexp.tracking.names import component_param

_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_ARROWS = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}
_RULES = "".join(rf"\providecommand{{\{rule}rule}}{{\hline}}" for rule in ("top", "mid", "bottom"))
_DIGITS = 4


def as_latex(comparison: Comparison) -> str:
    """Return one table per dataset: the best printed value of each column in bold, the second underlined, and a dagger
    where the first metric differs significantly."""
    head = f"% \\usepackage{{booktabs}} makes better rules\n{_RULES}\n"
    return head + "\n".join(_table(comparison, board) for board in comparison.boards)


def _table(comparison: Comparison, board: Leaderboard) -> str:
    names, rows = list(comparison.higher_is_better), board.rows[:TESTED]
    columns, called = [_column(comparison, board, rows, name) for name in names], _names(board.rows)
    heads = ["model", *(escaped(pretty(name)) + _ARROWS[comparison.higher_is_better[name]] for name in names)]
    body = []
    for ranked, cells in zip(rows, zip(*columns)):
        body.append(" & ".join([escaped(called[ranked.row.label]), *cells]) + r" \\")
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(comparison, board, rows)}}}",
        rf"\label{{tab:{re.sub(r'[^A-Za-z0-9]+', '-', board.group.setting).strip('-')}}}",
        rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def without_deviations(comparison: Comparison) -> str | None:
    """Return why the table has no ± and what to type for it; None where it has."""
    runs = [run for board in comparison.boards for ranked in board.rows[:TESTED] for run in ranked.row.runs]
    if len(runs) > sum(len(board.rows[:TESTED]) for board in comparison.boards):
        return None
    command = next(iter(merged(runs, ["seed=1,2,3,4,5"])), "recexp -m ... seed=1,2,3,4,5")
    return f"no ± in the table: each model has one run; for standard deviations over seeds, run: {command}"


def _names(rows: Sequence[RankedRow]) -> dict[str, str]:
    """Return what a table calls each row, by label: its class, as papers write it, and what tells it from others."""
    called = {}
    for row in (ranked.row for ranked in rows):
        params = dict(component_param(key, text) for key, text in row.runs[0].params.items())
        more = row.label.removeprefix(row.key.subject).strip()
        name = params.get(row.key.component, row.key.subject).rpartition(".")[2]
        called[row.label] = f"{name} ({more})" if more else name
    often = Counter(called.values())
    return {label: label if often[name] > 1 else name for label, name in called.items()}


def _column(comparison: Comparison, board: Leaderboard, rows: list[RankedRow], name: str) -> list[str]:
    """Return the cells of a metric."""
    higher_is_better = comparison.higher_is_better[name]
    values = [ranked.value(name) for ranked in rows]
    printed = {round(value, _DIGITS) for value in values if not math.isnan(value)}
    in_order = sorted(printed, reverse=bool(higher_is_better))
    best, second = [*in_order, None, None][:2] if higher_is_better is not None else (None, None)
    cells = []
    for ranked, value in zip(rows, values):
        text, deviation = f"{value:.{_DIGITS}f}", ranked.row.deviation(name)
        if round(value, _DIGITS) == best:
            text = rf"\mathbf{{{text}}}"
        elif round(value, _DIGITS) == second:
            text = rf"\underline{{{text}}}"
        pair = board.against_reference(ranked.row.label)
        if name == comparison.metric and pair is not None and pair.ahead:
            text += r"^{\dagger}"
        spread = "" if math.isnan(deviation) else rf" \pm {deviation:.{_DIGITS}f}"
        cells.append("--" if math.isnan(value) else f"${text}{spread}$")
    return cells


def _caption(comparison: Comparison, board: Leaderboard, rows: list[RankedRow]) -> str:
    options, runs = comparison.options, sorted({len(ranked.row.runs) for ranked in rows})
    means = f"means $\\pm$ standard deviations over {'--'.join(map(str, {runs[0]: 0, runs[-1]: 0}))} runs"
    parts = [
        f"Results on {escaped(board.group.setting)}{f': {means}' if runs[-1] > 1 else ''}.",
        "The best value of each column is bold, the second best is underlined.",
    ]
    if board.pairs:
        correction = CORRECTIONS[options.correction].title
        how = f"{options.test} test over {comparison.unit}s, {correction}, $p \\leq {options.alpha:.2g}$"
        parts.append(
            rf"$^{{\dagger}}$: {escaped(pretty(comparison.metric))} differs significantly from that of "
            f"{escaped(_names(board.rows)[board.reference])} ({how})."
        )
    return " ".join(parts)


def escaped(text: str) -> str:
    """Return text with LaTeX's special characters escaped, in a line."""
    return re.sub(r"[\\~^&%$#_{}]", lambda found: _SPECIAL.get(found[0], "\\" + found[0]), " ".join(text.split()))
