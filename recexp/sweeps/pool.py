"""Processes that carry out jobs, one at a time each: a job that is the death of its process costs only itself."""

import json
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, cast

from recexp import forking, system
from recexp.errors import RecexpError
from recexp.folders import command_of
from recexp.sweeps import worker_main
from recexp.sweeps.jobs import FAILED, JobResult, SweepJob
from recexp.tracking import process

ATTEMPTS = 2
"""How often a job is begun that its process does not survive: somebody may have killed it, or the job itself."""
POLL_SECONDS = 0.1
END_SECONDS = 10.0
"""How long processes have, when the sweep ends early, to mark their runs as killed."""


class Worker:
    """A process of the pool, in a group of its own: Ctrl-C reaches the pool, which ends it in order.

    It puts itself into `heard` with each result, and with None when it has ended.
    """

    def __init__(self, log: Path, heard: "Heard") -> None:
        self.log = log
        self.job: SweepJob | None = None
        self.heavy = 0
        with open(log, "ab") as file:
            self.process = _copied(file.fileno()) if forking.possible() else _new(file.fileno())
        self.requests, self._answers = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        Thread(target=self._listen, args=(heard,), daemon=True).start()  # not all systems can wait for several pipes

    def give(self, job: SweepJob) -> None:
        """Hand over a job; that the process has died meanwhile is heard of later."""
        self.job = job
        with suppress(OSError):
            self.requests.write(json.dumps(asdict(job)).encode() + b"\n")
            self.requests.flush()

    def _listen(self, heard: "Heard") -> None:
        with self._answers as answers:
            for line in answers:
                if line.endswith(b"\n"):
                    heard.put((self, line.decode()))
        heard.put((self, None))

    def death(self, limit_mib: int | None) -> str:
        """Return why the process has ended."""
        code = self.process.wait()
        with suppress(OSError):  # a job that it has not read
            self.requests.close()
        if self.heavy:
            return (
                f"out of memory: it used {self.heavy} MiB; the limit per job is {limit_mib} (hydra.launcher.memory_mib)"
            )
        if (name := system.killed_by(code)) is not None:
            want = ", manually or because memory ran out" if name == "SIGKILL" else ""
            return f"its process was killed ({name}){want}"
        words = self.log.read_text(errors="replace").strip().splitlines()[-1:] if self.log.exists() else []
        return f"its process ended with exit code {code}" + (f": {words[0]}" if words else "")


def _new(errors: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command_of(worker_main.__name__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        **system.OWN_GROUP,
    )


def _copied(errors: int) -> forking.Copy:
    """Return a copy of this process, with a copy of the one that tracks for it: to import all anew takes seconds."""
    import numba  # noqa: F401  # what all jobs need, once for all of them

    from recexp.runners import driver  # noqa: F401

    tracker = process.copied()
    keep = [] if tracker is None else [tracker.stdin.fileno(), tracker.stdout.fileno()]

    def work() -> None:
        process.adopt(tracker)
        worker_main.main()

    worker = forking.copy(work, errors=errors, keep=keep)
    if tracker is not None:
        tracker.let_go()
    return worker


Heard = SimpleQueue[tuple[Worker, str | None]]


class Pool:
    """Up to `workers` processes; what uses more than `memory_mib` (None: no limit) is ended.

    `folder` takes what they say on stderr.
    """

    def __init__(self, workers: int, *, memory_mib: int | None, folder: Path) -> None:
        self.workers, self.memory_mib, self.folder = workers, memory_mib, folder
        self._processes: list[Worker] = []
        self._started = 0

    def run(
        self, jobs: Sequence[SweepJob], began: Callable[[SweepJob], None], lost: Callable[[SweepJob, str], None]
    ) -> Iterator[tuple[SweepJob, JobResult]]:
        """Yield each job with its result as it ends; `began` and `lost` hear of those begun, and to be begun again."""
        queue, attempts = deque(jobs), Counter[int]()
        heard: Heard = SimpleQueue()
        try:
            while queue or any(worker.job for worker in self._processes):
                self._hand_out(queue, attempts, heard, began)
                self._watch()
                try:
                    worker, result = heard.get(timeout=POLL_SECONDS)
                except Empty:
                    continue
                job, worker.job = worker.job, None
                if result is not None and job is not None:
                    yield job, JobResult.from_json(result)
                    continue
                self._processes.remove(worker)
                reason = worker.death(self.memory_mib)
                if job is None:
                    continue
                if attempts[job.number] < ATTEMPTS and not worker.heavy:
                    queue.appendleft(job)
                    lost(job, reason)
                else:
                    yield job, JobResult(FAILED, error=RecexpError(reason))
        finally:
            self.end()

    def _hand_out(
        self, queue: deque[SweepJob], attempts: Counter[int], heard: "Heard", began: Callable[[SweepJob], None]
    ) -> None:
        free = [worker for worker in self._processes if worker.job is None]
        while queue and (free or len(self._processes) < self.workers):
            if not free:
                self._started += 1
                free.append(Worker(self.folder / f"worker-{self._started}.log", heard))
                self._processes.append(free[-1])
            job = queue.popleft()
            attempts[job.number] += 1
            free.pop().give(job)
            began(job)

    def _watch(self) -> None:
        if self.memory_mib is None:
            return
        for worker in self._processes:
            if worker.job and (used := system.private_mib(worker.process.pid)) > self.memory_mib:
                worker.heavy = round(used)
                worker.process.kill()

    def end(self) -> None:
        """End all processes: those that are idle at once, the others when they have marked their runs, or are late."""
        try:
            for worker in self._processes:
                with suppress(OSError):
                    worker.requests.close()
            until = time.monotonic() + END_SECONDS
            for worker in self._processes:
                with suppress(subprocess.TimeoutExpired):
                    worker.process.wait(max(0.0, until - time.monotonic()))
        finally:
            for worker in self._processes:
                worker.process.kill()
                worker.process.wait()
            self._processes.clear()
