"""Reading a log with `dataset=files`, duplicate check and coding included, beside what only reads its table; README.md.

`python reading.py --rows 20000000 800000 --repeats 3`
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from side import memory

DAYS = 3000


def write(folder: Path, m: int) -> None:
    """Write a log of m rows, no two alike, of m/20 users and m/66 items, as parquet and csv."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng = np.random.default_rng(0)
    n_users, n_items, drawn = m // 20, m // 66, 2 * m
    users, items = ((rng.random(drawn) ** power * n).astype(np.int64) for power, n in ((2, n_users), (3, n_items)))
    pairs = rng.permutation(np.unique(users * n_items + items))[:m]
    times = 1_400_000_000 + rng.integers(0, DAYS * 86_400, len(pairs))
    ratings = rng.integers(1, 6, len(pairs)).astype(float)
    columns = {"user_id": pairs // n_items, "item_id": pairs % n_items, "rating": ratings, "timestamp": times}
    parquet.write_table(pa.table(columns), folder / "log.parquet")
    csv.write_csv(pa.table(columns), folder / "log.csv")


def side(name: str, path: Path) -> None:
    """Read once; say what it took, imports and config not counted, and the peak of memory."""
    if name == "recexp":
        import recexp

        read = recexp.make("dataset=files", f"dataset.interactions={path}").load
    elif name == "pandas":
        import pandas as pd

        read = lambda: pd.read_csv(path)  # noqa: E731
    else:
        from pyarrow import csv, parquet

        read = lambda: (parquet.read_table if path.suffix == ".parquet" else csv.read_csv)(path)  # noqa: E731
    begin = time.perf_counter(), time.process_time()
    read()
    wall, cpu = time.perf_counter() - begin[0], time.process_time() - begin[1]
    sys.stdout.write(json.dumps({"wall": wall, "cpu": cpu, "peak": memory("VmHWM")}))


def main() -> None:
    """Each side reads in a process of its own, by turns; the median counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000_000, 800_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", nargs=2)
    args = parser.parse_args()
    if args.side:
        return side(args.side[0], Path(args.side[1]))
    print("| rows | file | side | wall, s | processor, s | peak MiB |\n|---|---|---|---|---|---|")
    for m in args.rows:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), m)
            for name, sides in (("log.parquet", ("recexp", "pyarrow")), ("log.csv", ("recexp", "pyarrow", "pandas"))):
                found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
                for _ in range(args.repeats):
                    for each in sides:
                        words = [sys.executable, __file__, "--side", each, f"{folder}/{name}"]
                        done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
                        found[each].append(json.loads(done.stdout))
                for each, runs in found.items():
                    wall, cpu, peak = (statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "peak"))
                    print(f"| {m:,} | {name} | {each} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
