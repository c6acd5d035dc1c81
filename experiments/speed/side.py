"""One side of a comparison, in a process of its own: read a split, learn, answer, tell what it took.

Every side is `python SIDE.py NAME FOLDER SEED K [evaluate]`: it reads FOLDER/split.npz, writes FOLDER/answers.npy and
prints JSON last. This file needs numpy and scipy only, so that the Python of every peer can import it.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

THREADS = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))


@dataclass(frozen=True)
class Given:
    """What a side is told: codes and values of the train rows, and for ratings the rows to predict.

    `asked`: who gets lists, in order; all but in `scales.py`, whose sides alone look at it.
    `prepared` is what the side's `prepare` made of it before the clock starts.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    test_users: np.ndarray
    test_items: np.ndarray
    asked: np.ndarray
    n_users: int
    n_items: int
    seed: int
    k: int
    prepared: Any = None

    @property
    def explicit(self) -> bool:
        """Whether values are ratings, which are then what is to be predicted."""
        return bool((self.values != self.values[:1]).any())

    def csr(self) -> sp.csr_matrix:
        """Return the train rows as float32 (n_users, n_items)."""
        return sp.csr_matrix((self.values, (self.users, self.items)), shape=(self.n_users, self.n_items))


@dataclass(frozen=True)
class Side:
    """How a library does it: `answer` returns lists of item codes, (asked, k), or predicted ratings of the test rows.

    `prepare` is not timed, `evaluate` only when the command line asks for it. `start`: seconds that a compiler of
    kernels took to start, before all that.
    """

    fit: Callable[[Given], Any]
    answer: Callable[[Any, Given], np.ndarray]
    prepare: Callable[[Given], Any] = lambda given: None
    evaluate: Callable[[np.ndarray, Given], None] = lambda answers, given: None
    start: float = 0.0


def run(sides: dict[str, Side]) -> None:
    """Do what the command line says: fit, answer and evaluate are timed, imports and files are not."""
    name, folder, seed, k = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    side = sides[name]
    with np.load(folder / "split.npz") as file:
        arrays = {key: file[key] for key in file.files}
    sizes = {key: int(arrays.pop(key)) for key in ("n_users", "n_items")}
    given = Given(**arrays, **sizes, seed=seed, k=k)
    given = Given(**{**given.__dict__, "prepared": side.prepare(given)})
    loaded, before = memory("VmRSS"), memory("VmHWM")
    reset_peak()
    times = [clocks()]
    model = side.fit(given)
    times.append(clocks())
    answers = side.answer(model, given)
    times.append(clocks())
    peak = memory("VmHWM")
    if sys.argv[5:] == ["evaluate"]:
        side.evaluate(answers, given)
    times.append(clocks())
    np.save(folder / "answers.npy", np.asarray(answers))
    clock, processor = np.diff(times, axis=0).T.tolist()
    report = dict(
        zip(("fit", "answer", "evaluate", "fit_processor", "answer_processor", "evaluate_processor"), clock + processor)
    )
    report |= {"peak": max(peak, before), "increase": peak - loaded, "all": memory("VmHWM"), "start": side.start}
    sys.stdout.write(f"\n{json.dumps(report)}\n")  # libraries write to stdout too


def clocks() -> tuple[float, float]:
    """Return seconds: of the clock, and that processors worked for this process, which other work hardly changes."""
    return time.perf_counter(), time.process_time()


def memory(name: str) -> float:
    """Return MiB of this process: VmRSS now, VmHWM at most. (ru_maxrss would inherit the peak of the parent.)"""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(f"{name}:"))


def reset_peak() -> None:
    """Start VmHWM afresh, so that it shows what fit and answer need and not what imports needed for a moment."""
    Path("/proc/self/clear_refs").write_text("5")
