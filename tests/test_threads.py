"""Rows shared among threads: each once, whatever fails or is nested."""

import os
import signal
import threading
import time

import pytest

from recexp import threads


def covered(n_rows: int, count: int) -> list[int]:
    times = [0] * n_rows

    def visit(start: int, stop: int) -> None:
        for row in range(start, stop):
            times[row] += 1

    with threads.limit(count):
        threads.map_rows(visit, n_rows)
    return times


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("n_rows", [0, 1, 2, 17, 1000])
def test_each_row_is_visited_once(n_rows: int, count: int) -> None:
    assert covered(n_rows, count) == [1] * n_rows


def test_threads_work_at_the_same_time() -> None:
    together, met = threading.Barrier(3, timeout=20), []
    with threads.limit(3):
        threads.map_rows(lambda start, stop: met.append(together.wait()), 3, chunks_per_thread=1)
    assert sorted(met) == [0, 1, 2]


def test_an_error_ends_all_and_is_raised() -> None:
    begun = []

    def fail(start: int, stop: int) -> None:
        begun.append(start)
        time.sleep(0.01)
        raise ValueError(f"row {start}")

    with threads.limit(2), pytest.raises(ValueError, match="row"):
        threads.map_rows(fail, 1000, chunks_per_thread=100)
    assert len(begun) <= 2
    assert covered(50, 2) == [1] * 50


def test_nothing_is_called_after_an_interrupt() -> None:
    calls = []

    def slow(start: int, stop: int) -> None:
        calls.append(start)
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        time.sleep(0.2)
        calls.append(stop)

    with threads.limit(2), pytest.raises(KeyboardInterrupt):
        threads.map_rows(slow, 100)
    known = len(calls)
    assert known < 100, "it has ended before its end"
    time.sleep(0.3)
    assert len(calls) == known


def test_nothing_is_called_after_a_thread_could_not_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, pool = [], threads._helpers(3)

    class Full:
        left = 1

        def submit(self, work):
            if not self.left:
                raise RuntimeError("can't start new thread")
            self.left -= 1
            return pool.submit(work)

    full = Full()
    monkeypatch.setattr(threads, "_helpers", lambda count: full)
    with threads.limit(4), pytest.raises(RuntimeError, match="new thread"):
        threads.map_rows(lambda start, stop: calls.append(start) or time.sleep(0.05), 100)
    known = len(calls)
    time.sleep(0.2)
    assert len(calls) == known < 40, "it has ended before its end"


def test_there_are_never_more_threads() -> None:
    with threads.limit(3):
        threads.map_rows(lambda start, stop: None, 100)
        before = threading.active_count()
        for _ in range(5000):
            threads.map_rows(lambda start, stop: None, 100)
    assert threading.active_count() <= before + 1  # the second helper may not have been started before


def test_a_call_within_a_call_ends() -> None:
    seen = []
    with threads.limit(2):
        threads.map_rows(lambda *_: threads.map_rows(lambda start, stop: seen.extend(range(start, stop)), 10), 8)
    assert sorted(seen) == sorted([*range(10)] * 8)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own() -> None:
    covered(50, 2)
    if (child := os.fork()) == 0:
        signal.alarm(20)
        os._exit(0 if covered(50, 2) == [1] * 50 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
