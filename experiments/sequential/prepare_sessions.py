"""Write the sessions of GCE-GNN's preparation as this project reads them: makes sessions/ in the working directory."""

import csv
import gzip
import os
from itertools import count
from pathlib import Path

VALIDATION = 0.1
"""The share of train sessions, the last ones, whose last item is for validation; SR-GNN and GCE-GNN take a tenth."""
START = 10**9
"""The first time, in seconds: the files have none, and each further row is a second later."""
Row = tuple[int, int, int]
"""A session, an item and a time."""


def write(folder: Path, name: str, rows: list[Row]) -> None:
    with (folder / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("user_id", "item_id", "timestamp"), *rows])


def write_split(data: Path, folder: Path) -> None:
    """Write train.csv and validation.csv, and of each test line its prefix to shown.csv and its target to test.csv."""
    with gzip.open(data / "train_sessions.txt.gz", "rt") as lines:
        sessions = [[int(item) for item in line.split()] for line in lines]
    with gzip.open(data / "test_prefixes.txt.gz", "rt") as lines:
        tests = [[int(item) for item in line.split()] for line in lines]
    clock = count(START)
    parts: dict[str, list[Row]] = {name: [] for name in ("train", "validation", "shown", "test")}
    for session, items in enumerate(sessions):
        rows = [(session, item, next(clock)) for item in items]
        held = 1 if session >= (1 - VALIDATION) * len(sessions) and len(rows) > 1 else 0
        parts["train"] += rows[: len(rows) - held]
        parts["validation"] += rows[len(rows) - held :]
    for session, items in enumerate(tests, start=len(sessions)):
        *shown, target = [(session, item, next(clock)) for item in items]
        parts["shown"] += shown
        parts["test"].append(target)
    for name, rows in parts.items():
        write(folder, name, rows)


if __name__ == "__main__":
    for name, place in {"diginetica": "diginetica", "tmall": "tmall-sessions"}.items():
        folder = Path("sessions") / name
        folder.mkdir(parents=True, exist_ok=True)
        write_split(Path(os.environ["RECEXP_DATA"]) / place, folder)
