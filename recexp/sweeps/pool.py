"""Processes that carry out jobs, one at a time each: a job that is the death of its process costs only itself."""

import json
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from recexp import system
from recexp.errors import RecexpError
from recexp.folders import PACKAGE
from recexp.sweeps.jobs import FAILED, JobResult, SweepJob

ATTEMPTS = 2
"""How often a job is begun that its process does not survive: somebody may have killed it, or the job itself."""
POLL_SECONDS = 0.1
END_SECONDS = 10.0
"""How long processes have, when the sweep ends early, to mark their runs as killed."""
_START = """
import sys
sys.path.insert(0, sys.argv[1])
import recexp
sys.path.append(sys.path.pop(0))
from recexp.sweeps import worker
worker.main()
"""


class Member:
    """A process of the pool, in a group of its own: Ctrl-C reaches the pool, which ends it in order.

    It puts itself into `heard` with each result, and with None when it has ended.
    """

    def __init__(self, log: Path, heard: "Heard") -> None:
        root = str(PACKAGE.parent)
        self.log = log
        self.job: SweepJob | None = None
        self.heavy = 0
        with open(log, "ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, root],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                **system.OWN_GROUP,
            )
        Thread(target=self._listen, args=(heard,), daemon=True).start()  # not all systems can wait for several pipes

    def give(self, job: SweepJob) -> None:
        """Hand over a job; that the process has died meanwhile is heard of later."""
        self.job = job
        with suppress(OSError):
            self.process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
            self.process.stdin.flush()

    def _listen(self, heard: "Heard") -> None:
        with self.process.stdout as stdout:
            for line in stdout:
                if line.endswith(b"\n"):
                    heard.put((self, line.decode()))
        heard.put((self, None))

    def death(self, limit_mib: int | None) -> str:
        """Return why the process has ended."""
        code = self.process.wait()
        if self.heavy:
            return f"out of memory: it used {self.heavy} MiB; a job may use {limit_mib} (hydra.launcher.memory_mib)"
        if (name := system.killed_by(code)) is not None:
            want = ", by hand or for want of memory" if name == "SIGKILL" else ""
            return f"its process was killed ({name}){want}"
        words = self.log.read_text(errors="replace").strip().splitlines()[-1:] if self.log.exists() else []
        return f"its process ended with exit code {code}" + (f": {words[0]}" if words else "")


Heard = SimpleQueue[tuple[Member, str | None]]


class Pool:
    """Up to `workers` processes; what uses more than `memory_mib` (None: no limit) is ended.

    `folder` takes what they say on stderr.
    """

    def __init__(self, workers: int, *, memory_mib: int | None, folder: Path) -> None:
        self.workers, self.memory_mib, self.folder = workers, memory_mib, folder
        self._members: list[Member] = []
        self._started = 0

    def run(
        self, jobs: Sequence[SweepJob], began: Callable[[SweepJob], None], lost: Callable[[SweepJob, str], None]
    ) -> Iterator[tuple[SweepJob, JobResult]]:
        """Yield each job with its result as it ends; `began` and `lost` hear of those begun, and to be begun again."""
        queue, attempts = deque(jobs), Counter[int]()
        heard: Heard = SimpleQueue()
        try:
            while queue or any(member.job for member in self._members):
                self._hand_out(queue, attempts, heard, began)
                self._watch()
                try:
                    member, result = heard.get(timeout=POLL_SECONDS)
                except Empty:
                    continue
                job, member.job = member.job, None
                if result is not None:
                    yield job, JobResult.from_json(result)
                    continue
                self._members.remove(member)
                reason = member.death(self.memory_mib)
                if job is None:
                    continue
                if attempts[job.number] < ATTEMPTS and not member.heavy:
                    queue.appendleft(job)
                    lost(job, reason)
                else:
                    yield job, JobResult(FAILED, error=RecexpError(reason))
        finally:
            self.end()

    def _hand_out(
        self, queue: deque[SweepJob], attempts: Counter[int], heard: "Heard", began: Callable[[SweepJob], None]
    ) -> None:
        free = [member for member in self._members if member.job is None]
        while queue and (free or len(self._members) < self.workers):
            if not free:
                self._started += 1
                free.append(Member(self.folder / f"worker-{self._started}.log", heard))
                self._members.append(free[-1])
            job = queue.popleft()
            attempts[job.number] += 1
            free.pop().give(job)
            began(job)

    def _watch(self) -> None:
        if self.memory_mib is None:
            return
        for member in self._members:
            if member.job and (used := system.private_mib(member.process.pid)) > self.memory_mib:
                member.heavy = round(used)
                member.process.kill()

    def end(self) -> None:
        """End all processes: those that are idle at once, the others when they have marked their runs, or are late."""
        try:
            for member in self._members:
                with suppress(OSError):
                    member.process.stdin.close()
            until = time.monotonic() + END_SECONDS
            for member in self._members:
                with suppress(subprocess.TimeoutExpired):
                    member.process.wait(max(0.0, until - time.monotonic()))
        finally:
            for member in self._members:
                member.process.kill()
                member.process.wait()
            self._members.clear()
