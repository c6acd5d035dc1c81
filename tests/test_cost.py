"""Processor seconds of a model's work: without waiting, loading and compiling, which are not the model's."""

import builtins
import time
from pathlib import Path

import numba
import pytest

from recexp import kernel_cache  # noqa: F401  # counts compiling
from recexp.cost import OVERHEAD, Costs

WORK = 0.1
BURN = f"""import time
end = time.thread_time() + {WORK}
while time.thread_time() < end:
    pass
"""


def burn() -> None:
    end = time.thread_time() + WORK
    while time.thread_time() < end:
        pass


def test_work_counts_and_waiting_does_not() -> None:
    costs = Costs()
    with costs.measure_work("fit"):
        burn()
        time.sleep(WORK)
    assert WORK <= costs.seconds["fit_cpu"] < 1.8 * WORK and costs.seconds["fit"] >= 2 * WORK
    with costs.measure_work("fit"):
        burn()
    assert costs.metrics()["fit_cpu_seconds"] >= 2 * WORK  # all fits of a run


def test_modules_that_load_modules_are_counted_once_and_not_as_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outer_of_cost.py").write_text(f"import inner_of_cost\n{BURN}")
    (tmp_path / "inner_of_cost.py").write_text(BURN)
    (tmp_path / "broken_of_cost.py").write_text(f"{BURN}raise ValueError('broken')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    costs, before, load = Costs(), OVERHEAD.seconds, builtins.__import__
    with costs.measure_work("fit"):
        import outer_of_cost  # noqa: F401
    assert costs.seconds["fit"] >= 2 * WORK > 2 * WORK * 0.5 > costs.seconds["fit_cpu"]
    assert 2 * WORK <= OVERHEAD.seconds - before < 3 * WORK
    with pytest.raises(ValueError), costs.measure_work("other"):
        import broken_of_cost  # noqa: F401
    assert costs.seconds["other_cpu"] < 0.5 * WORK and builtins.__import__ is load


def test_compiling_is_not_work() -> None:
    costs, before = Costs(), OVERHEAD.seconds
    kernel = numba.njit(lambda x: x + 1)
    with costs.measure_work("fit"):
        assert kernel(2) == 3
    compiling = OVERHEAD.seconds - before
    assert compiling > 0.01 and costs.seconds["fit_cpu"] < 0.5 * compiling
