"""Forked processes: copies of a process that has already imported what they need, on systems that can fork.

A copy has its own input, output and session, and no other file of the process that it came from.
"""

import gc
import os
import select
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

POLL_SECONDS = 0.02


class Copy:
    """A forked copy of this or another process; has the methods of `subprocess.Popen` that recexp uses.

    Parameters
    ----------
    pid : its number.
    requests, answers : our ends of its input and output.
    ours : whether it is a child of this process, so that its exit code is known.
    """

    def __init__(self, pid: int, requests: int, answers: int, *, ours: bool) -> None:
        self.pid, self._ours = pid, ours
        self._code: int | None = None
        self.stdin, self.stdout = os.fdopen(requests, "wb"), os.fdopen(answers, "rb")

    def poll(self) -> int | None:
        """Return the exit code, -1 where it is not known; None while the process lives."""
        if self._code is None:
            if not self._ours:
                self._code = -1 if _ended(self.stdout.fileno()) else None
            elif (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
                self._code = os.waitstatus_to_exitcode(ended[1])
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once the process has ended; raises subprocess.TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired("a copy of this process", timeout or 0.0)
            time.sleep(POLL_SECONDS)
        return code

    def kill(self) -> None:
        """End the process at once."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def let_go(self) -> None:
        """Close our ends, which another copy has."""
        self.stdin.close()
        self.stdout.close()


def _ended(answers: int) -> bool:
    """Whether nobody is left who could write into a pipe."""
    poll = select.poll()
    poll.register(answers, 0)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def possible() -> bool:
    """Whether this process may be forked: on Linux, unless a library has started threads of its own."""
    return sys.platform == "linux" and "torch" not in sys.modules


def copy(main: Callable[[], object], *, errors: int, keep: Sequence[int] = ()) -> Copy:
    """Start a copy of this process that does `main` and no more; it keeps only those of our files.

    `errors` is where its standard error goes.
    """
    (theirs_in, requests), (answers, theirs_out) = os.pipe(), os.pipe()
    return Copy(begin(main, theirs_in, theirs_out, errors, keep), requests, answers, ours=True)


def begin(main: Callable[[], object], into: int, out: int, errors: int, keep: Sequence[int] = ()) -> int:
    """Start a copy that does `main` with these files, which this process lets go of; return its number."""
    with warnings.catch_warnings():
        # Python 3.12 warns where threads run, whose locks a copy would find locked for ever: ours only wait for lines
        # and for loops to work at, and a copy uses none of them
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        _become(main, into, out, errors, keep)
    os.close(into)
    os.close(out)
    return pid


def _become(main: Callable[[], object], into: int, out: int, errors: int, keep: Sequence[int]) -> NoReturn:
    """In the copy: take these as input, output and standard error, let go of all else, do `main`, and leave."""
    code = 1
    try:
        gc.freeze()  # a file of the other process that is found to be garbage would close one of ours
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        for place, file in enumerate((into, out, errors)):
            os.dup2(file, place)
        start = 3
        for file in [*sorted(keep), os.sysconf("SC_OPEN_MAX")]:
            os.closerange(start, file)
            start = file + 1
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout, sys.stderr = (os.fdopen(file, "w", closefd=False) for file in (1, 2))
        main()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
