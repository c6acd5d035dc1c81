"""Reproduction: repeats a run from its stored files, and reports the differences between the two runs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from recexp import file_names, scratch
from recexp.errors import DataError, StoreError
from recexp.evidence import run_files
from recexp.history import backfill, code_changes, differences
from recexp.history.archive import Archive, StoredRun
from recexp.history.code_changes import CodeChange
from recexp.history.differences import ADDED, EQUAL, OFF, WITHIN, Change, Difference
from recexp.runners.base import Experiment
from recexp.runners.driver import run_experiment
from recexp.tracking import flatten
from recexp.tracking.tags import CONFIG, PROTOCOL, REPRODUCES, SPLIT

DIGESTS = ("recexp.data", SPLIT, PROTOCOL, CONFIG)
SOURCE = ("mlflow.source.git.commit", "recexp.git_dirty")


@dataclass(frozen=True)
class ReproductionReport:
    """The result of a reproduction.

    Attributes
    ----------
    reproduces, run : ids of the first run and of the new one.
    tolerance : up to which metrics count as the same.
    fingerprints : which digests are equal.
    metrics : each metric of both.
    lists : queries with equal lists, and queries; None where the runner leaves no lists.
    differences : what is not the same in config, packages and machine.
    code : what is not the same in the person's own classes and what they import.
    kept : where the code of the first run is; "": it was not kept.
    """

    reproduces: str
    run: str
    tolerance: float
    fingerprints: dict[str, bool]
    metrics: list[Change]
    lists: tuple[int, int] | None
    differences: list[Difference]
    code: list[CodeChange]
    kept: str

    @property
    def verdict(self) -> str:
        """bit-equal, within tolerance or off: the worst of the metrics, and bit-equal only with equal lists."""
        found = {change.verdict for change in self.metrics}
        equal, queries = self.lists or (0, 0)
        return OFF if OFF in found else WITHIN if WITHIN in found or equal < queries else EQUAL

    def count(self, verdict: str) -> int:
        """Return the number of metrics with that verdict."""
        return sum(change.verdict == verdict for change in self.metrics)

    def summary(self) -> str:
        """Return the verdict and the counts behind it, in a line."""
        judged = len(self.metrics) - self.count(ADDED)
        names = {WITHIN: WITHIN, OFF: f"off by more than {self.tolerance:g}"}
        parts = [f"{self.count(verdict)} {name}" for verdict, name in names.items() if self.count(verdict)]
        equal = f"{self.count(EQUAL)} of {judged} metrics bit-equal{''.join(f', {part}' for part in parts)}"
        lists = "" if self.lists is None else f"; {self.lists[0]:,} of {self.lists[1]:,} lists equal"
        return f"{self.verdict}: {equal}{lists}"

    def tables(self) -> Iterator[tuple[list[str], list[list[str]]]]:
        """Yield the head and rows of each table of the report."""
        marks = [[name, "equal" if same else "differs"] for name, same in self.fingerprints.items()]
        yield ["fingerprint", ""], marks
        rows = [[c.name, _number(c.before), _number(c.after), _step(c), c.text] for c in self.metrics]
        yield ["metric", "then", "now", "difference", ""], rows
        yield ["other differences", "then", "now"], [[d.name, d.before, d.after] for d in self.differences]

    @property
    def advice(self) -> str:
        """What to do about changed code; nothing where none has changed."""
        if not self.code:
            return ""
        names = ", ".join(name for change in self.code for name in change.names)
        back = f"; the code of then is in {self.kept}: put it back to repeat the run" if self.kept else ""
        return (
            f"{names}: changed since run {self.reproduces}, so the numbers may differ{back}; "
            f"recexp compare --runs {self.reproduces},{self.run} sets both versions side by side"
        )

    def markdown(self) -> str:
        """Return the report as Markdown."""
        parts = [f"# Reproduction of run {self.reproduces}", f"**{self.summary()}**, tolerance {self.tolerance:g}"]
        for head, rows in self.tables():
            lines = [head, ["---"] * len(head), *rows]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else f"{head[0]}: nothing")
        for change in self.code:
            parts += [f"{', '.join(change.names)}:", "\n".join(["```diff", *change.lines, "```"])]
        return "\n\n".join([*parts, *([self.advice] if self.code else [])]) + "\n"

    def json(self) -> str:
        """Return the report as JSON."""
        return json.dumps({"verdict": self.verdict, **asdict(self)}, indent=1) + "\n"


def reproduce(
    archive: Archive,
    run: StoredRun,
    experiment: Experiment,
    *,
    tolerance: float,
    changes: Sequence[Difference] = (),
) -> ReproductionReport:
    """Run the experiment of `run` again as a new run, and store the report among its files.

    `changes` are the changes of its config that were needed to build it.
    Raises DataError before anything is fitted if the data differ from those of the run. Other differences (in the
    split, after an update of a library; in the config, after an update of recexp) are reported.
    """
    before = archive.yaml(run, file_names.IDENTITY)

    def check(content: dict[str, Any]) -> None:
        then, now = (some["protocol"].get("data") for some in (before, content))
        if then != now:
            raise DataError(f"run {run.id} cannot be reproduced: {differences.other_data(then, now)}")

    results = run_experiment(replace(experiment, check=check, tags={**experiment.tags, REPRODUCES: run.id}))
    if not results:
        raise StoreError(f"run {run.id} was fold {experiment.fold}, which its split no longer has")
    new = archive.run(results[-1].run_id)
    report = ReproductionReport(
        reproduces=run.id,
        run=new.id,
        tolerance=tolerance,
        fingerprints={name: run.tags.get(name) == new.tags.get(name) for name in DIGESTS},
        metrics=differences.compare_metrics(
            run.metrics,
            new.metrics,
            run_files.read_metrics(archive.file(run, file_names.METRICS))[1],
            tolerance=tolerance,
            added=run.tags.get(backfill.ADDED, "").split(),
        ),
        lists=_equal_lists(archive, run, new),
        differences=_differences(archive, run, new, changes),
        code=code_changes.changes(archive, run, new),
        kept=str(archive.file(run, file_names.CODE)) if archive.has(run, file_names.CODE) else "",
    )
    with scratch.folder() as folder:
        files = [folder / name for name in (file_names.REPRODUCTION, file_names.REPRODUCTION_JSON)]
        for file, text in zip(files, (report.markdown(), report.json())):
            file.write_text(text, encoding="utf-8")
        archive.add(new, files=files, tags={"recexp.reproduced": report.verdict})
    return report


def _equal_lists(archive: Archive, run: StoredRun, new: StoredRun) -> tuple[int, int] | None:
    """Return how many lists are equal, and of how many; None where the new run keeps no lists.

    Raises StoreError where those of the first run have been removed.
    """
    if not archive.has(new, file_names.LISTS):
        return None
    return differences.equal_lists(*(archive.file(of, file_names.LISTS) for of in (run, new)))


def _differences(archive: Archive, run: StoredRun, new: StoredRun, changes: Sequence[Difference]) -> list[Difference]:
    """Return what is not the same in config and data, packages, machine, and the commit of the working directory."""

    def plain(of: StoredRun, name: str) -> dict[str, Any]:
        return flatten(archive.yaml(of, name)) if archive.has(of, name) else {}

    def packages(of: StoredRun) -> list[str]:
        return archive.file(of, file_names.REQUIREMENTS).read_text().split()

    identities = ({**archive.yaml(of, file_names.IDENTITY), "code": {}} for of in (run, new))  # a diff says more
    found = differences.compare_values(*map(flatten, identities))
    found += [change for change in changes if change.name not in {difference.name for difference in found}]
    found += differences.compare_requirements(packages(run), packages(new))
    found += differences.compare_values(plain(run, file_names.MACHINE), plain(new, file_names.MACHINE))
    tags = [{name: tags[name] for name in SOURCE if name in tags} for tags in (run.tags, new.tags)]
    return found + differences.compare_values(*tags)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _step(change: Change) -> str:
    return "" if change.before is None or change.after is None else f"{change.after - change.before:+.1e}"
