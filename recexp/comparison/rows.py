"""Rows of a leaderboard: the runs of one configuration, and its label."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recexp.history.archive import StoredRun
from recexp.tracking.names import component_param
from recexp.tracking.tags import CODE, SEARCH, SPLIT, STUDY_TRIALS, TUNING

_DIGITS = 8
"""Enough of an id or digest to name what it is of; --runs takes such ids."""
_ALWAYS_SO = {"reranker": "NoReranker"}
"""Params that say what runs were before there were such params: those and these are one row."""


@dataclass(frozen=True)
class Key:
    """What all runs of a row share: a subject and its params, or, where it was tuned, how that was done.

    `component` is the subject's name in the config: `algorithm`.
    """

    component: str
    subject: str
    tuned: bool
    params: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """What rows of the same subject have in common."""
        return f"{self.subject} tuned" if self.tuned else self.subject


@dataclass(frozen=True)
class Row:
    """One configuration.

    Attributes
    ----------
    label : tells it from the other rows of its group.
    key : tells it from them, too; the same configuration has the same one on another dataset.
    runs : in order of seed and fold, the newest of each seed and split.
    older : runs that one of `runs` repeats, but without a test metric that they have; the newest first.
    """

    label: str
    key: Key
    runs: list[StoredRun]
    older: list[StoredRun]

    def has(self, name: str) -> bool:
        """Whether a run has the metric."""
        return any(name in run.metrics for run in [*self.runs, *self.older])

    def having(self, name: str) -> "Row":
        """Return the row with the newest run of each seed and split that has a metric."""
        kept: dict[tuple[str, str], StoredRun] = {}
        for run in [*self.runs, *self.older]:
            if name in run.metrics:
                kept.setdefault(_part(run), run)
        return replace(self, runs=sorted(kept.values(), key=_seed_and_fold))

    def mean(self, name: str) -> float:
        """Return the mean of a metric over the runs that have it, which must be one at least."""
        return _mean(run.metrics[name] for run in self.runs if name in run.metrics)

    def deviation(self, name: str) -> float:
        """Return the standard deviation of a metric between the runs that have it, NaN with fewer than two."""
        values = [run.metrics[name] for run in self.runs if name in run.metrics]
        return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan

    def by_split(self, name: str) -> dict[str, float]:
        """Return the mean of a metric on each split, which is named by its digest."""
        found: dict[str, list[float]] = {}
        for run in self.runs:
            if name in run.metrics:
                found.setdefault(run.tags[SPLIT], []).append(run.metrics[name])
        return {split: _mean(values) for split, values in found.items()}


def short(run: StoredRun) -> str:
    """Return the beginning of a run's id."""
    return run.id[:_DIGITS]


def seed_fold_split(run: StoredRun) -> str:
    """Return seed, fold and split of a run as text."""
    fold = f" fold {run.tags['fold']}" if "fold" in run.tags else ""
    return f"seed {run.tags.get('seed', '')}{fold} (split {run.tags.get(SPLIT, '')[:_DIGITS]})"


def rows_of(runs: Sequence[StoredRun]) -> tuple[list[Row], list[tuple[StoredRun, StoredRun]]]:
    """Return a row for each configuration, and the excluded runs, each with the newer run that repeats it.

    `runs` are in order, the newest first. A tuned run counts for what was tuned, whatever values were found; where
    these are those of a row that was not tuned, it is a run of that row as well.
    """
    plain = {_plain(run) for run in runs if TUNING not in run.tags}
    found: dict[Key, dict[tuple[str, str], list[StoredRun]]] = {}
    repeated = []
    for run in runs:
        keys = [_tuned(run), *({_plain(run)} & plain)] if TUNING in run.tags else [_plain(run)]
        alike = [found.setdefault(key, {}).setdefault(_part(run), []) for key in keys]
        adds_to = [
            earlier
            for earlier in alike
            if not earlier or run.final_metrics.difference(*(other.final_metrics for other in earlier))
        ]
        for earlier in adds_to:
            earlier.append(run)
        if not adds_to:
            repeated.append((run, alike[0][0]))
    rows = []
    for label, (key, parts) in zip(_labels([*found], _options(runs)), found.items()):
        newest, *older = ([*filter(None, layer)] for layer in _layers([*parts.values()]))
        rows.append(Row(label, key, sorted(newest, key=_seed_and_fold), [run for layer in older for run in layer]))
    return rows, repeated


def _options(runs: Sequence[StoredRun]) -> dict[tuple[str, str], str]:
    """Return what the option of each component and class is called: price_range of reranker and PriceRange."""
    chosen = [(component, run) for run in runs for component in run.subject if component in run.params]
    return {(name, run.params[name]): run.tags[name] for name, run in chosen if run.tags.get(name)}


def _layers(parts: Sequence[Sequence[StoredRun]]) -> list[list[StoredRun | None]]:
    """Return the first of each part, then the second ones, and so on; None where a part has no more."""
    return [[part[n] if n < len(part) else None for part in parts] for n in range(max(map(len, parts)))]


def _plain(run: StoredRun) -> Key:
    found = dict(component_param(key, text) for key, text in run.params.items())
    params = {key: text for key, text in found.items() if key.partition(".")[0] in run.subject}
    params = dict(params.items() - _ALWAYS_SO.items())
    return Key(run.subject[0], run.tags.get(run.subject[0], ""), False, tuple(sorted((params | _code(run)).items())))


def _tuned(run: StoredRun) -> Key:
    how = {tag: run.tags[tag] for tag in (SEARCH, STUDY_TRIALS) if tag in run.tags}
    return Key(run.subject[0], run.tags.get(run.subject[0], ""), True, tuple((how | _code(run)).items()))


def _code(run: StoredRun) -> dict[str, str]:
    """Return the version of the subject's code: two versions of a class are two models."""
    return {"code": run.tags[CODE][:_DIGITS]} if CODE in run.tags else {}


def _part(run: StoredRun) -> tuple[str, str]:
    return run.tags.get("seed", ""), run.tags.get(SPLIT, "")


def _seed_and_fold(run: StoredRun) -> tuple[int, int]:
    return int(run.tags.get("seed", 0)), int(run.tags.get("fold", 0))


def _labels(keys: Sequence[Key], options: Mapping[tuple[str, str], str]) -> list[str]:
    """Name each row after its algorithm and the params in which it differs from others of the same algorithm.

    Where that is not enough, searches are given by their digests; what is still alike, for the text of one value is
    that of several, gets a number.
    """
    apart: dict[str, list[str]] = {}
    for name in {key.name for key in keys}:
        alike = [dict(key.params) for key in keys if key.name == name]
        names = sorted({param for params in alike for param in params})
        apart[name] = [param for param in names if _differs(param, alike)]
    labels = [_label(key, apart[key.name], options, whole=False) for key in keys]
    often = Counter(labels)
    labels = [
        _label(key, apart[key.name], options, whole=True) if often[label] > 1 else label
        for key, label in zip(keys, labels)
    ]
    seen: Counter[str] = Counter()
    for index, label in enumerate(labels):
        seen[label] += 1
        while seen[label] > 1 and labels[index] in labels[:index]:
            labels[index] = f"{label} #{seen[label]}"
            seen[label] += 1
    return labels


def _differs(param: str, alike: Sequence[Mapping[str, str]]) -> bool:
    """Whether a param has several values in rows whose component that it is a field of is of one class.

    Where the classes differ, or some rows have no such component, the class is what tells rows apart.
    """
    owner = param.rpartition(".")[0]
    while owner and not any(owner in params for params in alike):
        owner = owner.rpartition(".")[0]
    values: dict[str | None, set[str | None]] = {}
    for params in alike:
        values.setdefault(params.get(owner), set()).add(params.get(param))
    return any(len(found) > 1 for found in values.values())


def _label(key: Key, params: Sequence[str], options: Mapping[tuple[str, str], str], *, whole: bool) -> str:
    values = dict(key.params)
    first = f"{key.component}."
    shown_values = {param: options.get((param, values[param]), values[param]) for param in params if param in values}
    words = (_word(param.removeprefix(first), value, whole=whole) for param, value in shown_values.items())
    return " ".join([key.name, *filter(None, words)])


def _word(param: str, value: str, *, whole: bool) -> str:
    """Return a param in short: `l2=100`, `parts.cf=ItemKNN`, `30 trials`; nothing for what only the whole has."""
    if param == STUDY_TRIALS:
        return f"{value} trials"
    if param == SEARCH:
        return f"search={value[:_DIGITS]}" if whole else ""
    return f"{param}={value}"


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)
