"""What differs between Linux, macOS and Windows: processes, signals, memory. No other file depends on the system.

Not possible on Windows: the peak of memory (the metric is left out), and marking a run as killed when its process is
ended from outside (Ctrl-C and the end of a sweep do mark it). Neither there nor on macOS does the system say what a
sweep needs to limit the memory of its jobs, and a study to tell a process from a later one of the same number.
"""

import ctypes
import errno
import math
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

WINDOWS = sys.platform == "win32"
OWN_GROUP: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)} if WINDOWS else {"start_new_session": True}
)
"""Arguments of Popen for a process that Ctrl-C and signals to this process's group do not reach."""
PYTHON = (sys.executable, "-P")
"""The command of a Python that does not look for modules in the working directory: they may be anybody's."""
DISK_FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name))
"""The numbers of an OSError that says that the disk, a quota or a file size limit is used up."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def after_fork(function: Callable[[], object]) -> None:
    """Call `function` in each process that is forked from this one, where there is forking."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


def temporary_folder() -> Path:
    """Return where folders of sweeps lie that nobody asked for, as conf/config.yaml says it."""
    return Path(os.environ.get("TMPDIR", os.environ.get("TEMP", "/tmp")))


def user_suffix() -> str:
    """Return a suffix that separates this user's files in a shared folder; empty on Windows, where users share none."""
    return "" if WINDOWS else f"-{os.getuid()}"


def make_private(folder: Path) -> bool:
    """Make a folder that only this user can write to; return whether it is one, also where it was there before."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return False
    return WINDOWS or (stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022)


def ignore_signals() -> None:
    """Let neither Ctrl-C nor a polite request end this process: its parent decides."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def exit_on_sigterm() -> Callable[[], object]:
    """Make SIGTERM end the block in order, with exit code 143; return what undoes this. Only the main thread can."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None

    def leave(number: int, frame: FrameType | None) -> Any:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    return lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL)


def terminate_self() -> None:
    """Send this process SIGTERM, from any of its threads."""
    if WINDOWS:
        signal.raise_signal(signal.SIGTERM)  # os.kill would end it at once
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def killed_by(code: int) -> str | None:
    """Return the name of the signal that ended a process with this exit code, or None; Windows does not tell."""
    return signal.Signals(-code).name if code < 0 else None


def is_alive(pid: int) -> bool:
    """Return whether a process with this id exists, whoever owns it."""
    if WINDOWS:
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def began(pid: int) -> str:
    """Return when a process began, in ticks since the machine did; empty where the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def restart_peak() -> None:
    """Measure peak memory from now on (Linux); on other systems the peak is since the start of the process."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> float:
    """Return the peak of this process's resident memory in MiB; NaN where it is not known."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    try:
        import resource
    except ImportError:
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def private_mib(pid: int) -> float:
    """Return how much memory of a process is its own, without what it shares with others; 0: not known."""
    with suppress(OSError, ValueError, IndexError):
        shared_out = Path(f"/proc/{pid}/smaps_rollup").read_text().partition("Private_Dirty:")[2]
        return int(shared_out.split()[0]) / 1024
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text().partition("RssAnon:")[2].split()[0]) / 1024
    return 0.0


def free_mib() -> int | None:
    """Return how much memory is free for new processes, in MiB, within the container's limit; None: not known."""
    found = []
    with suppress(OSError, ValueError, IndexError):
        found.append(int(Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()[0]) // 1024)
    with suppress(OSError, ValueError):  # "max" where there is no limit
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        found.append((int(Path("/sys/fs/cgroup/memory.max").read_text()) - used) >> 20)
    return min(found, default=None)


def _is_alive_on_windows(pid: int) -> bool:
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]  # on Windows alone
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(0x100000, False, pid)  # SYNCHRONIZE: the right to wait for its end
    if not handle:
        return bool(kernel.GetLastError() == 5)  # access is denied to one that is there
    try:
        return bool(kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0) == 0x102)  # WAIT_TIMEOUT
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))
