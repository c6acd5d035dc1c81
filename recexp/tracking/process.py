"""The parent's end of the tracking process, where MLflow works while the experiment goes on."""

import atexit
import json
import logging
import os
import socket
import subprocess
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import IO, Any, cast

from recexp import forking, system
from recexp.errors import DiskFullError, RecexpError, StoreError
from recexp.folders import command_of

log = logging.getLogger(__name__)

STALE_SECONDS = 4.0
"""News that the process waits is old after so long: it came while nobody listened."""
AGAIN_SECONDS = 60.0
"""Seconds between messages that a run waits for the store."""


class TrackingProcess:
    """A process that answers requests in order (see `process_main`); several may be sent before one is read.

    Its input ends when this process does, however that happens, and then it leaves too. Signals meant for this
    process's group do not reach it: a run that is interrupted can still be marked as such. `waiting` is whether it
    waits for a store that another program holds, as far as it has been heard.
    """

    def __init__(self, process: forking.Copy | None = None) -> None:
        self.owner = os.getpid()
        self._files: socket.socket | None = None
        self.process = process or self._new()
        self._requests, self._answers = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        self._pending: deque[Future[Any]] = deque()
        self._whole = True
        self.waiting = False

    def _new(self) -> "subprocess.Popen[bytes]":
        numbers, more, theirs = [], dict(system.OWN_GROUP), None
        if forking.possible():
            self._files, theirs = socket.socketpair()
            numbers = more["pass_fds"] = [theirs.fileno()]
        command = command_of("recexp.tracking.process_main", *numbers)
        started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        if theirs is not None:
            theirs.close()
        return started

    def copy(self) -> forking.Copy | None:
        """Return a copy of the process that has no store open, for another process; None where there can be none."""
        if self._files is None:
            return None
        (theirs_in, requests), (answers, theirs_out) = os.pipe(), os.pipe()
        try:
            socket.send_fds(self._files, [b"."], [theirs_in, theirs_out])
            pid = int(self.ask("copy"))
        except (OSError, RecexpError):
            os.close(requests)
            os.close(answers)
            return None
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        return forking.Copy(pid, requests, answers, ours=False)

    def send(self, do: str, **values: Any) -> "Future[Any]":
        """Send a request of plain values; the answer is read by `result`, and raised there when it is an error."""
        answer: Future[Any] = Future()
        line = json.dumps({"do": do, **values})
        self._pending.append(answer)
        self._write(line)
        return answer

    def tell(self, do: str, **values: Any) -> None:
        """Send a request without waiting, now or later: it gets no answer, and what goes wrong is not heard of."""
        self._write(json.dumps({"do": do, "answer": False, **values}))

    def _write(self, line: str) -> None:
        whole, self._whole = self._whole, False  # unless all of this one gets through: an interrupt may cut it short
        if whole:
            with suppress(OSError):
                self._requests.write(line.encode() + b"\n")
                self._requests.flush()
                self._whole = True
        if not self._whole:
            self.close()

    def result(self, answer: "Future[Any]") -> Any:
        """Wait for an answer and return it; raises StoreError or DiskFullError as the process says, or when it died."""
        began, told = time.monotonic(), 0.0
        while not answer.done():
            line = self._answers.readline()
            if not line.endswith(b"\n"):
                self.close()
                continue
            reply = json.loads(line)
            self.waiting = time.time() - reply.get("waiting", 0.0) < STALE_SECONDS
            if "waiting" not in reply:
                _settle(self._pending.popleft(), reply)
            elif self.waiting and (waited := time.monotonic() - began) >= told:
                log.warning("another program has locked the store; waiting, %.0f s so far", waited)
                told = waited + AGAIN_SECONDS
        return answer.result()

    def ask(self, do: str, **values: Any) -> Any:
        """Send a request and wait for its answer."""
        return self.result(self.send(do, **values))

    def release(self) -> None:
        """Leave the process to the next store that this process opens, for starting one takes more than a second."""
        if self._whole and not _idle:
            _idle.append(self)
        else:
            self.close()

    def kill(self) -> None:
        """End the process at once, whatever it is at."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Let the process end; what it has not answered yet fails."""
        self._whole = False
        with suppress(OSError):
            self._requests.close()
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._answers.close()
        if self._files is not None:
            self._files.close()
        while self._pending:
            problem = f"the process that writes to the tracking store ended unexpectedly (exit code {code})"
            self._pending.popleft().set_exception(StoreError(problem))


_idle: list[TrackingProcess] = []
_inherited: list[TrackingProcess] = []
"""Those of the process that this one is a copy of; their files are closed here and may be others by now."""


def start() -> None:
    """Start a process ahead of time: it imports MLflow while this process composes its config."""
    if not _idle:
        _idle.append(TrackingProcess())


def take() -> TrackingProcess:
    """Return a process: the one that an earlier store of this process has left, or a new one."""
    while _idle:
        idle = _idle.pop()
        if idle.owner == os.getpid() and idle.process.poll() is None:
            return idle
    return TrackingProcess()


def copied() -> forking.Copy | None:
    """Return a copy of the process that an earlier store has left, to be adopted by a copy of this process."""
    return _idle[-1].copy() if _idle and forking.possible() else None


def adopt(copy: forking.Copy | None) -> None:
    """In a copy of a process: leave alone what that one had, and keep `copy` for the next store."""
    _inherited.extend(_idle)
    _idle[:] = [] if copy is None else [TrackingProcess(copy)]


@atexit.register
def end() -> None:
    """End the processes that are kept for the next store."""
    while _idle:
        idle = _idle.pop()
        if idle.owner == os.getpid():
            idle.close()


def _settle(answer: "Future[Any]", reply: dict[str, Any]) -> None:
    """Set the value or the error of a reply as what an answer has become."""
    if "error" not in reply:
        answer.set_result(reply["ok"])
        return
    kinds: dict[str, type[RecexpError]] = {"StoreError": StoreError, "DiskFullError": DiskFullError}
    error = kinds.get(reply["error"]["kind"], RecexpError)(reply["error"]["message"])
    if reply["error"]["trace"]:
        error.add_note(reply["error"]["trace"])
    answer.set_exception(error)
