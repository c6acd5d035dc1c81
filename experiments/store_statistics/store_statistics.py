"""Measure the simulated store of seeds 1, 2 and 3 and the real sets, and print all beside the targets."""

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from real import logs
from simulated import statistics

SEEDS = (1, 2, 3)


def targets() -> list[dict[str, str]]:
    """Return the rows of targets.csv."""
    with (Path(__file__).parent / "targets.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def cell(target: Mapping[str, str], found: Mapping[str, float]) -> str:
    """Return a value, marked where it misses the target, or nothing where the data do not tell it."""
    value = found.get(target["statistic"])
    if value is None:
        return ""
    return f"{value:.3g}" if float(target["low"]) <= value <= float(target["high"]) else f"**{value:.3g}**"


def main() -> None:
    """Print a row a statistic: its target, the store of each seed, the real sets."""
    found = {f"seed {seed}": statistics(seed) for seed in SEEDS}
    found |= {name: measured() for name, measured in logs(Path(os.environ["RECEXP_DATA"])).items()}
    print("| statistic | target |", " | ".join(found), "|")
    print("|", " | ".join(["---"] * (2 + len(found))), "|")
    for target in targets():
        cells = [cell(target, of_one) for of_one in found.values()]
        print(f"| {target['what']} | {target['low']} to {target['high']} |", " | ".join(cells), "|")
    for seed in SEEDS:
        passed = [cell(target, found[f"seed {seed}"]) for target in targets()]
        print(f"seed {seed}: {sum('*' not in text for text in passed)} of {len(passed)} pass")


if __name__ == "__main__":
    main()
