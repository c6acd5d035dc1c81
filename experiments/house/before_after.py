"""Does a version of recexp give the very results of another, byte by byte?

    python before_after.py run FOLDER
    python before_after.py compare BEFORE AFTER

`run` makes one small run of each thing that recexp can do, with the recexp that this interpreter imports, and writes
what they left behind as FOLDER/summary.json. Names come from the conf folder of that recexp; results are read from the
store and the runs' plain files, never through recexp, so that the same script works with every version.
"""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from cases import FIRST_RUN, composite, single, write_files
from pyarrow import parquet

TAGS = [f"recexp.{name}" for name in ("data", "split", "protocol", "test", "config", "code")]
SAID = ["algorithm", "seed", "fold", "recexp.reproduced", "recexp.added_metrics"]
"""Tags by which a reader of the summary knows a run; they must be equal, too."""
TABLES = ("per_user.parquet", "lists.parquet", "predictions.parquet")


def main() -> int:
    """Do what the command line says; return 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run").add_argument("folder", type=Path)
    both = commands.add_parser("compare")
    both.add_argument("before", type=Path)
    both.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.command == "run":
        run(given.folder)
        return 0
    return compare(*(json.loads((folder / "summary.json").read_text()) for folder in (given.before, given.after)))


def run(folder: Path) -> None:
    """Make all runs in an empty folder, with a store and a cache of their own, and write summary.json."""
    folder.mkdir(parents=True)
    os.chdir(folder)
    os.environ["RECEXP_CACHE"] = os.path.abspath("cache")
    begin = time.perf_counter()
    import recexp

    print(f"recexp {recexp.__version__} from {Path(recexp.__file__).parent}")
    write_files(np.random.default_rng(11))
    conf = next(path for parent in Path(recexp.__file__).parents[:2] if (path := parent / "conf").is_dir())
    labels = []
    for label, words in single(conf):
        labels.append(label)
        attempt(label, lambda words=words: recexp.run(*words, config_dir="conf"))
    for label, commands in composite(conf):
        labels.append(label)
        for words in commands:
            attempt(label, lambda label=label, words=words: command(label, words))
    summary = {label: [read(found) for found in runs(label)] for label in labels}
    Path("summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    made = sum(map(len, summary.values()))
    print(f"{made} runs under {len(labels)} labels in {time.perf_counter() - begin:.0f} s")


def attempt(label: str, work: Callable[[], object]) -> None:
    """Do it, and go on if it cannot be done: then the summary has no run of it."""
    begin = time.perf_counter()
    try:
        work()
        result = ""
    except Exception as error:
        result = f"   {type(error).__name__}: {' '.join(str(error).split())[:150]}"
    print(f"{time.perf_counter() - begin:6.1f} s  {label}{result}", flush=True)


def command(label: str, words: list[str]) -> None:
    words = [runs(label)[0].info.run_id if word == FIRST_RUN else word for word in words]
    done = subprocess.run([sys.executable, "-m", "recexp", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])


def runs(label: str) -> list[Any]:
    """Return the runs of an experiment, the first before."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient("sqlite:///mlflow.db")
    experiment = client.get_experiment_by_name(label)
    if experiment is None:
        return []
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]))


def read(found: Any) -> dict[str, Any]:
    """Return what a run left behind, as plain data."""
    from mlflow.tracking import MlflowClient

    client, folder = MlflowClient("sqlite:///mlflow.db"), Path(found.info.artifact_uri.removeprefix("file://"))
    metrics = {name: value for name, value in found.data.metrics.items() if not name.startswith("cost/")}
    rows = read_csv(folder / "metrics.csv")
    listed = {row["metric"] for row in rows}
    curves = {
        name: [[point.step, repr(point.value)] for point in client.get_metric_history(found.info.run_id, name)]
        for name in sorted(metrics.keys() - listed)
    }
    return {
        "status": found.info.status,
        "tags": {name: found.data.tags[name] for name in [*SAID, *TAGS] if name in found.data.tags},
        "metrics": {name: repr(value) for name, value in sorted(metrics.items())},
        "curves": curves,
        "intervals": {row["metric"]: [row["value"], row["low"], row["high"]] for row in rows},
        "slices": [list(row.values()) for row in read_csv(folder / "slices.csv")],
        **{name: columns(folder / name) for name in TABLES if (folder / name).exists()},
    }


def read_csv(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def columns(path: Path) -> dict[str, str]:
    """Return the sha256 of each column's type and values."""
    table = parquet.read_table(path)
    texts = {name: f"{table[name].type} {table[name].to_pylist()!r}" for name in table.column_names}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def compare(before: dict[str, list], after: dict[str, list]) -> int:
    """Print what differs, label by label; return 1 when something of `before` is not the same in `after`."""
    off = 0
    for label, expected in before.items():
        found = list(differences(expected, after.get(label, []), ""))
        off += bool(found)
        for line in found[:20]:
            print(f"{label}: {line}")
        if len(found) > 20:
            print(f"{label}: and {len(found) - 20} more")
    if new := [label for label in after if label not in before]:
        print(f"new, not compared: {', '.join(new)}")
    print(f"{len(before) - off} of {len(before)} labels equal, {sum(map(len, before.values()))} runs before")
    return int(off > 0)


def differences(before: Any, after: Any, where: str) -> Iterator[str]:
    """Yield where two plain values differ, and how."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), f"{where} {key}".lstrip())
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after)):
            yield from differences(one, other, f"{where}[{at}]")
    elif before != after:
        lengths = [f"{len(v)} entries" if isinstance(v, list | dict) else str(v) for v in (before, after)]
        yield f"{where} {lengths[0]} -> {lengths[1]}".lstrip()


if __name__ == "__main__":
    sys.exit(main())
