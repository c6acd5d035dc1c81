"""The best run of an experiment: the newest run of the model that is first in `recexp compare`."""

from recexp import file_names
from recexp.comparison.groups import find_runs, group_runs
from recexp.errors import StoreError
from recexp.evidence.run_files import read_directions
from recexp.history.archive import Archive, StoredRun
from recexp.metric_names import pretty

_CHOICE = "; select them with --runs or --sweep"
"""What a note of `recexp compare` advises, which other commands cannot do."""


def best_run(archive: Archive, experiment: str) -> tuple[StoredRun, str, list[str]]:
    """Return the newest run of the best model on the newest run's data, the reason, and notes on excluded runs.

    Only runs of the newest run's protocol count. Raises StoreError when there are none.
    """
    groups, notes = group_runs(archive, find_runs(archive, experiment), strict=False)
    group, name = groups[0], groups[0].metrics()[0]
    higher_is_better = read_directions(archive.file(group.newest, file_names.METRICS)).get(name)
    if higher_is_better is None:
        raise StoreError(f"{experiment}: {name} has no better or worse, so no run is the best; give a run's id")
    rows = [row.having(name) for row in group.rows if row.has(name)]
    best = max(rows, key=lambda row: row.mean(name) if higher_is_better else -row.mean(name))
    run = max(best.runs, key=lambda run: run.started)
    models = f"{len(rows)} models" if len(rows) > 1 else "1 model"
    score = f"{run.final} {pretty(name)} {best.mean(name):.4f}"
    return (
        run,
        f"{best.label} is the best of {models} on {group.setting} ({score}): run {run.id}",
        [note.removesuffix(_CHOICE) for note in notes],
    )
