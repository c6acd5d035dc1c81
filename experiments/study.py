"""What studies share: run each row of a published table, and set ours beside it."""

import argparse
import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

import recexp


def measured(overrides: Sequence[str], seeds: Iterable[int]) -> dict[str, float]:
    """Return each metric's mean over seeds and folds; every run is tracked in this folder's store."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        outcomes = recexp.run(*overrides, f"seed={seed}")
        for outcome in outcomes if isinstance(outcomes, list) else [outcomes]:
            for name, value in outcome.metrics.items():
                part, _, metric = name.partition("/")
                if part in ("test", "test_candidates"):
                    found.setdefault(metric, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def study(folder: Path, rows: Mapping[str, Sequence[str]], common: Sequence[str], seeds: Sequence[int] = (1,)) -> bool:
    """Run the rows named on the command line (all of them, if none is), and print ours beside `folder`/published.csv.

    published.csv has the columns model, metric, published, tolerance, source; `rows` has each model's overrides, beside
    the `common` ones. Returns whether all are within their tolerance.
    """
    parser = argparse.ArgumentParser(description=(folder / "README.md").read_text().partition("\n")[0])
    parser.add_argument("rows", nargs="*", help=f"which of {', '.join(rows)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    given = parser.parse_args()
    if strange := set(given.rows) - set(rows):
        parser.error(f"there is no row {', '.join(sorted(strange))}; there are {', '.join(rows)}")
    with open(folder / "published.csv", newline="") as file:
        published = list(csv.DictReader(file))
    write = sys.stdout.write
    write("| model | metric | ours | published | difference | tolerance | verdict |\n|---|---|---|---|---|---|---|\n")
    met = True
    for model in given.rows or rows:
        ours = measured([*common, *rows[model]], given.seeds)
        for line in (line for line in published if line["model"] == model):
            value, wanted, tolerance = ours[line["metric"]], float(line["published"]), float(line["tolerance"])
            near = abs(value - wanted) <= tolerance
            met &= near
            write(f"| {model} | {line['metric']} | {value:.4f} | {wanted:.4f} | {value - wanted:+.4f} | {tolerance} "
                  f"| {'met' if near else 'off'} |\n")  # fmt: skip
            sys.stdout.flush()
    return met
