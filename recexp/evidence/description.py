"""What a person reads on a run's page: Markdown, the most important first, for only the first lines show unfolded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recexp.evidence.table import Table
from recexp.metric_names import headlines, is_judgement, parsed

_GAP = "&emsp;"
"""What stands behind a cell that another follows: MLflow's style leaves nothing between them."""


@dataclass(frozen=True)
class Summary:
    """What there is to say about a run.

    Attributes
    ----------
    subject, setting : what ran on what, as chosen in the config.
    labels : the options chosen for further components, by name.
    seed : of the run.
    final : the part whose metrics count.
    metrics, intervals : by full name, `test/ndcg_at_10`, the headline first; costs under `cost/`.
    tables : of data and the like.
    warnings : what a reader must know before believing the numbers.
    overview : HTML that comes first, if any.
    evaluations : how often the final part has been evaluated, by this run too; 0 where this one does not count.
    command : what repeats the run.
    """

    subject: str
    setting: str
    labels: Mapping[str, str]
    seed: int
    final: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    command: str
    tables: Sequence[Table] = field(default_factory=tuple)
    warnings: Sequence[str] = field(default_factory=tuple)
    overview: str = ""
    evaluations: int = 0


def describe_run(summary: Summary) -> str:
    """Return the description of a run."""
    parts = [
        summary.overview,
        _headline(summary),
        *(f"> **Warning:** {warning}" for warning in summary.warnings),
        _metrics(summary),
        _evaluations(summary),
        *(part for table in summary.tables for part in (_table(table.head, table.rows), *table.notes)),
        _costs(summary),
        f"**Repeat**\n\n```\n{summary.command}\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(s: Summary) -> str:
    """Return one line: what ran on what, and how well."""
    name = next(iter(headlines(s.metrics, s.final)), None)
    result = "" if name is None else f": **{name} = {s.metrics[name]:.4f}{_interval(s, name, ' ({} to {})')}**"
    where = f" on **{s.setting}**" if s.setting else ""
    labels = "".join(f", {name} {option}" for name, option in s.labels.items())
    return f"**{s.subject}**{where}{labels}, seed {s.seed}{result}"


def _metrics(s: Summary) -> str:
    """Return one table a part: a row a metric, a column a cut-off where there are any."""
    tables = []
    judged = {name: value for name, value in s.metrics.items() if is_judgement(name)}
    for part in dict.fromkeys(name.partition("/")[0] for name in judged):
        cells: dict[str, dict[int | None, str]] = {}
        for name, value in judged.items():
            if name.startswith(f"{part}/"):
                _, metric, k = parsed(name)
                cells.setdefault(metric, {})[k] = f"{value:.4f}{_half_width(s, name)}"
        cutoffs = list(dict.fromkeys(k for row in cells.values() for k in row))
        head = (part, *(f"at {k}" if k else "value" for k in cutoffs))
        rows = [(metric, *(row.get(k, "") for k in cutoffs)) for metric, row in cells.items()]
        tables.append(_table(head, rows))
    return "\n\n".join(tables)


def _evaluations(s: Summary) -> str:
    if not s.evaluations:
        return ""
    return (
        f"Runs in this store on the same {s.final} part: {s.evaluations:,} with this one; each seed and fold is a run."
    )


def _costs(s: Summary) -> str:
    costs = {name: value for name, value in s.metrics.items() if name.startswith("cost/")}
    return _table(("cost", "value"), [(name.removeprefix("cost/"), f"{value:.3g}") for name, value in costs.items()])


def _interval(s: Summary, name: str, form: str) -> str:
    return form.format(*(f"{bound:.4f}" for bound in s.intervals[name])) if name in s.intervals else ""


def _half_width(s: Summary, name: str) -> str:
    if name not in s.intervals:
        return ""
    low, high = s.intervals[name]
    return f" ±{(high - low) / 2:.4f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    rule = " | ".join(["---"] + ["---:"] * (len(head) - 1))
    first, *others = (" | ".join([*(f"{cell}{_GAP}" for cell in row[:-1]), row[-1]]) for row in (head, *rows))
    return "\n".join(f"| {line} |" for line in (first, rule, *others))
