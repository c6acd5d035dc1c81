"""Which runs are compared: those of one protocol, on one data set or several; the rest is left out, with the reason."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recexp.errors import ConfigError, StoreError
from recexp.outputs.description import headlines
from recexp.tracking import Archive, Record, flatten

PROTOCOL, SPLIT, TUNED = "recexp.protocol", "recexp.split", "tuning"
_DIGITS = 8
"""Enough of a run's id to name it, and to be taken by --runs."""


@dataclass(frozen=True)
class Row:
    """One configuration: its runs, in order of seed and fold, differ in nothing else. `label` tells it from others."""

    label: str
    runs: list[Record]

    def mean(self, name: str) -> float:
        """Return the mean of a metric over the runs that have it, which must be one at least."""
        values = [run.metrics[name] for run in self.runs if name in run.metrics]
        return sum(values) / len(values)

    def has(self, name: str) -> bool:
        """Whether a run has the metric."""
        return any(name in run.metrics for run in self.runs)


@dataclass(frozen=True)
class Field:
    """All that may be compared directly: the rows of one protocol on one data set."""

    dataset: str
    protocol: str
    rows: list[Row]

    @property
    def newest(self) -> Record:
        """The run that began last."""
        return max((run for row in self.rows for run in row.runs), key=lambda run: run.started)

    def metrics(self) -> list[str]:
        """Return the names of all test metrics, the headline and its cut-off first."""
        return test_metrics(run for row in self.rows for run in row.runs)


def short(run: Record) -> str:
    """Return the beginning of a run's id."""
    return run.id[:_DIGITS]


def find(archive: Archive, experiment: str, *, runs: Sequence[str] = (), sweep: str | None = None) -> list[Record]:
    """Return the runs asked for: those of the given ids, of a sweep, or all complete ones of the experiment."""
    if runs:
        found = [archive.run(run_id) for run_id in dict.fromkeys(runs)]
        for run in found:
            if not run.complete or PROTOCOL not in run.tags:
                raise ConfigError(f"--runs: {run.id} is not a finished run ({run.status.lower()})")
        return list({run.id: run for run in found}.values())
    found = [run for run in archive.runs(experiment) if PROTOCOL in run.tags]
    if not found:
        raise StoreError(f"tracking.experiment: there are no finished runs in {experiment}; run recexp first")
    if sweep is None:
        return found
    some = [run for run in found if run.tags.get("sweep") == sweep]
    if not some:
        sweeps = list(dict.fromkeys(run.tags["sweep"] for run in reversed(found) if "sweep" in run.tags))
        raise ConfigError(
            f"--sweep: there is no {sweep} in {experiment}; the newest: {', '.join(sweeps[:9]) or 'none'}"
        )
    return some


def fields(archive: Archive, found: Sequence[Record], *, strict: bool) -> tuple[list[Field], list[str]]:
    """Return a field for each data set, that of the newest run first, and what was left out and why.

    The newest run says which protocol counts; runs that differ from it in the data alone are compared on their own data
    set. What else differs is left out; with `strict`, raises ConfigError that names it.
    """
    by_protocol: dict[str, list[Record]] = {}
    for run in sorted(found, key=lambda run: -run.started):
        by_protocol.setdefault(run.tags[PROTOCOL], []).append(run)
    reference: dict[str, str] | None = None
    taken: list[Field] = []
    notes = []
    for protocol, runs in by_protocol.items():
        content = _protocol(archive, runs[0]) if len(by_protocol) > 1 else {}
        reference = content if reference is None else reference
        unlike = _unlike(content, reference, [*_names(taken)], _dataset(runs[0]))
        if unlike and strict:
            first = taken[0].newest
            raise ConfigError(
                f"--runs: {short(runs[0])} ({runs[0].name}) and {short(first)} ({first.name}) are of different "
                f"protocols and cannot be compared: {unlike}"
            )
        if unlike:
            many = _count(len(runs), "run")
            notes.append(f"left out: {many} of another protocol, such as {short(runs[0])}: {unlike}")
            continue
        rows, more = _rows(runs)
        taken.append(Field(_dataset(runs[0]), protocol, rows))
        notes += more
    return taken, notes


def test_metrics(runs: Iterable[Record]) -> list[str]:
    """Return the names of the runs' test metrics, those of the newest run's headline first."""
    names: dict[str, None] = {}
    order: list[str] = []
    for run in sorted(runs, key=lambda run: -run.started):
        order = order or json.loads(run.params.get("evaluation.metrics", "[]"))
        names |= dict.fromkeys(
            name for name in sorted(run.metrics) if name.startswith("test") and not name.endswith("/fallback_share")
        )
    place = {name: number for number, name in enumerate(order)}
    ordered = sorted(names, key=lambda name: (place.get(_bare(name), len(place)), _cutoff(name)))
    first = [name for name in headlines(ordered) if name in names]
    return [*first, *(name for name in ordered if name not in first)]


def _bare(name: str) -> str:
    return name.rpartition("/")[2].partition("_at_")[0]


def _cutoff(name: str) -> int:
    text = name.rpartition("_at_")[2]
    return int(text) if text.isdigit() else 0


def _unlike(content: dict[str, str], reference: dict[str, str], names: list[str], name: str) -> str:
    """Return which keys differ, beside the data where it is another data set; nothing if none does."""
    keys = [key for key in dict.fromkeys([*reference, *content]) if content.get(key) != reference.get(key)]
    if name not in names:
        keys = [key for key in keys if key != "data"]
    return ", ".join(_difference(key, content.get(key), reference.get(key)) for key in keys)


def _difference(key: str, here: str | None, there: str | None) -> str:
    if key == "data":
        return "other rows under the same name of data set than those"
    if key.endswith("class"):
        here, there = (value and value.rpartition(".")[2] for value in (here, there))
    return f"{key}={here if here is not None else 'nothing'} instead of {there if there is not None else 'nothing'}"


def _protocol(archive: Archive, run: Record) -> dict[str, str]:
    """Return what a run's protocol is made of, by dotted names."""
    import yaml

    return flatten(yaml.safe_load(archive.file(run, "identity.yaml").read_text())["protocol"])


def _names(taken: Sequence[Field]) -> list[str]:
    return [field.dataset for field in taken]


def _dataset(run: Record) -> str:
    return run.params.get("dataset.name") or run.tags.get("dataset", "")


def _rows(runs: Sequence[Record]) -> tuple[list[Row], list[str]]:
    """Return a row for each configuration; of runs that repeat another's seed and split the newest counts.

    What was tuned is one configuration, though the values found differ from seed to seed.
    """
    rows: dict[tuple[tuple[str, str], ...], dict[tuple[str, str], Record]] = {}
    repeated = 0
    for run in runs:  # the newest comes first
        same = rows.setdefault((("", _name(run)), *sorted(_params(run).items())), {})
        key = (run.tags.get("seed", ""), run.tags.get(SPLIT, ""))
        repeated += key in same
        same.setdefault(key, run)
    grouped = [sorted(same.values(), key=_place) for same in rows.values()]
    notes = [f"left out: {_count(repeated, 'run')} that a newer one repeats"] if repeated else []
    return [Row(label, runs) for label, runs in zip(_labels(grouped), grouped)], notes


def _name(run: Record) -> str:
    """Return a run's algorithm, and whether it was tuned."""
    return run.tags.get("algorithm", "") + (" tuned" if TUNED in run.tags else "")


def _params(run: Record) -> dict[str, str]:
    """Return what makes a run's configuration beside its name."""
    if TUNED in run.tags:
        return {}
    return {key: value for key, value in run.params.items() if key.startswith(("algorithm.", "fallback."))}


def _place(run: Record) -> tuple[int, int]:
    return int(run.tags.get("seed", 0)), int(run.tags.get("fold", 0))


def _labels(grouped: Sequence[Sequence[Record]]) -> list[str]:
    """Name each group after its algorithm, and the params in which it differs from others of the same algorithm."""
    values: dict[str, dict[str, set[str | None]]] = {}
    found = [(_name(runs[0]), _params(runs[0])) for runs in grouped]
    for name in {name for name, _ in found}:
        params = [own for other, own in found if other == name]
        keys = sorted({key for own in params for key in own})
        values[name] = {key: {own.get(key) for own in params} for key in keys}
    return [
        " ".join([name, *(_word(key, own[key]) for key, some in values[name].items() if len(some) > 1 and key in own)])
        for name, own in found
    ]


def _word(key: str, value: str) -> str:
    """Return a param in short: `l2=100`, `parts.cf=ItemKNN`."""
    key = key.removeprefix("algorithm.")
    return f"{key.removesuffix('._target_')}={value.rpartition('.')[2]}" if "_target_" in key else f"{key}={value}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
