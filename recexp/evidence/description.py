"""What a person reads on a run's page: Markdown, the most important first, for only the first lines show unfolded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recexp.metric_names import headlines, is_judgement, parsed

if TYPE_CHECKING:
    from recexp.filters.base import Effect


@dataclass(frozen=True)
class Summary:
    """What there is to say about a run.

    Attributes
    ----------
    algorithm, dataset, split : names, as chosen in the config.
    seed : of the run.
    effects : what each filter step did.
    sizes : (rows, users, items) by part: train, validation, test ...
    metrics, intervals : by full name, `test/ndcg_at_10`, the headline first; costs under `cost/`.
    fallback_share : share of lists that the fallback gave, by part.
    warnings : what a reader must know before believing the numbers.
    facts : what the leakage audit says of this kind of split; its metrics are under `audit/`.
    looks : how many runs have looked at this test part, this one included; 0 where this one does not count.
    digests : identity of data, split, protocol and config.
    command : what repeats the run.
    """

    algorithm: str
    dataset: str
    split: str
    seed: int
    effects: "Sequence[Effect]"
    sizes: Mapping[str, tuple[int, int, int]]
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    fallback_share: Mapping[str, float]
    command: str
    digests: Mapping[str, str]
    warnings: Sequence[str] = field(default_factory=tuple)
    facts: Sequence[str] = field(default_factory=tuple)
    looks: int = 0


def describe_run(summary: Summary) -> str:
    """Return the description of a run."""
    parts = [
        _headline(summary),
        *(f"> **Warning:** {warning}" for warning in summary.warnings),
        _metrics(summary),
        _looks(summary),
        _data(summary),
        _audit(summary),
        _costs(summary),
        f"**Repeat**\n\n```\n{summary.command}\n```",
        _table(("identity", "sha256"), [(name, f"`{digest}`") for name, digest in summary.digests.items()]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(s: Summary) -> str:
    """Return one line: what ran on what, and how well."""
    name = next(iter(headlines(s.metrics)), None)
    result = "" if name is None else f": {name} = {s.metrics[name]:.4f}{_interval(s, name, ' ({} to {})')}"
    users = f", {s.sizes['test'][1]:,} test users" if "test" in s.sizes else ""
    return f"**{s.algorithm}** on **{s.dataset}**, split {s.split}, seed {s.seed}**{result}**{users}"


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


def _looks(s: Summary) -> str:
    if not s.looks:
        return ""
    return f"Looks at this test set in this store: {s.looks:,}, this run's included."


def _data(s: Summary) -> str:
    rows = [(f"filter {e.step}: before", *map(_count, e.before)) for e in s.effects[:1]]
    rows += [(f"after {e.step}", *map(_count, e.after)) for e in s.effects]
    rows += [(f"**{part}**", *map(_count, sizes)) for part, sizes in s.sizes.items()]
    return _table(("data", "rows", "users", "items"), rows)


def _audit(s: Summary) -> str:
    found = {name.removeprefix("audit/"): value for name, value in s.metrics.items() if name.startswith("audit/")}
    rows = [(name, f"{value:g}" if name == "leaking_features" else f"{value:.2%}") for name, value in found.items()]
    return "\n\n".join(part for part in (_table(("leakage audit", "value"), rows), *s.facts) if part)


def _costs(s: Summary) -> str:
    costs = {name: value for name, value in s.metrics.items() if name.startswith("cost/")}
    rows = [(name.removeprefix("cost/"), f"{value:.3g}") for name, value in costs.items()]
    rows += [(f"fallback lists, {part}", f"{share:.1%}") for part, share in s.fallback_share.items()]
    return _table(("cost", "value"), rows)


def _interval(s: Summary, name: str, form: str) -> str:
    return form.format(*(f"{bound:.4f}" for bound in s.intervals[name])) if name in s.intervals else ""


def _half_width(s: Summary, name: str) -> str:
    if name not in s.intervals:
        return ""
    low, high = s.intervals[name]
    return f" ±{(high - low) / 2:.4f}&ensp;"


def _count(number: int) -> str:
    return f"{number:,}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
