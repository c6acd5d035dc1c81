"""The names of what a run measures: `test/ndcg_at_10` is the metric ndcg of lists of 10, on the test part."""

import re
from collections.abc import Iterable

_AT = "_at_"
_POINT = re.compile(r"after_([0-9]+)(_candidates)?/")


def metric_at(metric: str, k: int) -> str:
    """Return the name of a metric of lists of k items."""
    return f"{metric}{_AT}{k}"


def parsed(name: str) -> tuple[str, str, int | None]:
    """Return part, metric and cut-off: ("test", "ndcg", 10); "" and None where there is none."""
    part, _, rest = name.rpartition("/")
    metric, _, k = rest.partition(_AT)
    return part, metric, int(k) if k.isdigit() else None


def bare(name: str) -> str:
    """Return the metric alone: `ndcg`."""
    return parsed(name)[1]


def cutoff(name: str) -> int | None:
    """Return the length of lists, None where there is none."""
    return parsed(name)[2]


def pretty(name: str) -> str:
    """Return the metric as people write it, `ndcg@10`: without the part, but with the point of a curve."""
    metric, known = name.rpartition("/")[2].replace(_AT, "@"), point(name)
    return metric if known is None else f"{metric} after {known}"


def point(name: str) -> int | None:
    """Return the point of a curve of users: 2 of `after_2/ndcg_at_10`, None of other metrics."""
    found = _POINT.match(name)
    return int(found[1]) if found else None


def natural_key(name: str) -> list[str | int]:
    """Return what names are sorted by, numbers as numbers: after_2 before after_10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)]


def is_judgement(name: str) -> bool:
    """Whether a metric measures quality, not cost or audit."""
    return not name.startswith(("cost/", "audit/")) and not name.endswith("/fallback_share")


def is_final(name: str, final: str) -> bool:
    """Whether a metric measures quality on the final part of a run, such as `test`, or on listed candidates of it."""
    return name.rpartition("/")[0] in (final, f"{final}_candidates") and is_judgement(name)


def headlines(names: Iterable[str], final: str = "") -> list[str]:
    """Return the names that a person reads first: those of the final part, at one cut-off (10, or else the middle one).

    Where none is of that part, those of all parts count.
    """
    judged = [name for name in names if is_judgement(name)]
    first = [name for name in judged if is_final(name, final)] or judged
    cutoffs = sorted({k for name in first if (k := cutoff(name)) is not None})
    chosen = 10 if 10 in cutoffs or not cutoffs else cutoffs[len(cutoffs) // 2]
    return [name for name in first if cutoff(name) in (None, chosen)]
