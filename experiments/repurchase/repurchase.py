"""Run each filter x split by time on online_retail, with and without items that users had before, and print a table."""

import csv
from pathlib import Path

import recexp

FILTERS = ("none", "all_positive", "implicit", "deduplicate", "counts", "ratings", "k_core", "min_interactions")
SPLITS = ("temporal", "temporal_user", "leave_last", "sessions")


def found(slices: Path, group: str) -> str:
    """Return the share of a group's targets that are among the first ten, or nothing where there are none."""
    with slices.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["group"], row["metric"]) == (group, "found_at_10")]
    return f"{float(rows[0]['value']):.4f}" if rows else ""


def main() -> None:
    """Print a row a run; the runs are in the store of the working folder."""
    for split in SPLITS:
        for filter in FILTERS:
            for exclude in ("true", "false"):
                outcome = recexp.run(
                    *("dataset=online_retail", f"filter={filter}", f"split={split}", f"split.exclude_seen={exclude}"),
                    *("algorithm=item_knn", "seed=1", "tracking.log_model=false", "logging.level=error"),
                )
                slices, metrics = next(Path().glob(f"**/{outcome.run_id}/**/slices.csv")), outcome.metrics
                shown = [f"{metrics[name]:.4f}" for name in ("test/ndcg_at_10", "audit/targets_had_before")]
                cells = [split, filter, exclude, *shown, found(slices, "had before"), found(slices, "new")]
                print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
