"""A comparison as LaTeX tables, for a paper."""

import re

from recexp.comparison.comparison import TESTED
from recexp.comparison.results import Comparison, Leaderboard
from recexp.metric_names import pretty

_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def as_latex(comparison: Comparison) -> str:
    """Return a booktabs table a data set: the best of each column in bold, a dagger where the first metric differs."""
    return "% \\usepackage{booktabs}\n" + "\n".join(_table(comparison, board) for board in comparison.boards)


def _table(comparison: Comparison, board: Leaderboard) -> str:
    names, rows = list(comparison.higher_is_better), board.rows[:TESTED]
    cells = {name: [row.mean if name == names[0] else row.means.get(name) for row in rows] for name in names}
    best = {name: _best(values, comparison.higher_is_better[name]) for name, values in cells.items()}
    arrows = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}
    head = " & ".join(["model", *(escaped(pretty(name)) + arrows[comparison.higher_is_better[name]] for name in names)])
    body = []
    for index, ranked in enumerate(rows):
        pair = board.against_reference(ranked.row.label)
        mark = r"$^{\dagger}$" if pair is not None and pair.ahead else ""
        shown = []
        for name in names:
            value = cells[name][index]
            text = "--" if value is None else f"{value:.4f}"
            text = rf"\textbf{{{text}}}" if value is not None and value == best[name] else text
            shown.append(text + (mark if name == names[0] else ""))
        body.append(" & ".join([escaped(ranked.row.label), *shown]) + r" \\")
    options = comparison.options
    how = f"{options.test} test over {comparison.unit}s, {options.correction}, {options.alpha:.2g}"
    lines = ["\\toprule", head + r" \\", "\\midrule", *body, "\\bottomrule"]
    comment = f"{board.group.setting}; dagger: {pretty(names[0])} differs from that of {board.reference} ({how})"
    return "\n".join(
        [
            f"% {' '.join(comment.split())}",
            rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
            *lines,
            r"\end{tabular}",
            "",
        ]
    )


def _best(values: list[float | None], higher_is_better: bool | None) -> float | None:
    known = [value for value in values if value is not None]
    return None if higher_is_better is None or not known else max(known) if higher_is_better else min(known)


def escaped(text: str) -> str:
    """Return text with LaTeX's special characters escaped, in a line."""
    return re.sub(r"[\\~^&%$#_{}]", lambda found: _SPECIAL.get(found[0], "\\" + found[0]), " ".join(text.split()))
