"""A process of the pool: it reads a job a line, carries it out, answers with a line, and leaves when its input ends."""

import logging
import os
import queue
import signal
import threading
import time
from typing import BinaryIO

from recexp import system
from recexp.sweeps import jobs
from recexp.tracking import process

GRACE_SECONDS = 8.0
"""How long a job has to mark its run as killed, when the sweep has ended without it."""


def main() -> None:
    """Carry out jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.start()
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # whatever is printed must not look like an answer
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_listen, args=(requests, lines, busy), daemon=True).start()
    while line := lines.get():
        busy.set()
        answer = jobs.perform(line.decode())
        busy.clear()
        try:
            answers.write(answer.encode() + b"\n")
            answers.flush()
        except OSError:  # nobody reads it any more
            break
    process.end()
    logging.shutdown()
    os._exit(0)


def _listen(requests: BinaryIO, lines: "queue.SimpleQueue[bytes]", busy: threading.Event) -> None:
    """Pass on what comes in; when the sweep has ended before a job, however that happened, end the job in order."""
    for line in requests:
        busy.set()
        lines.put(line)
    if busy.is_set():
        system.terminate_self()
        time.sleep(GRACE_SECONDS)
        os._exit(1)  # it is deep in a long computation
    lines.put(b"")
