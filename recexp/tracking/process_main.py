"""The process that writes to MLflow, so that importing and using it takes no time from the experiment.

It reads one request a line from its input, such as {"do": "create", "name": ...}, and answers each in order with a
line on its output: {"ok": value} or {"error": {"kind", "message", "trace"}}; those with "answer": false get none.
While another program holds the store, {"waiting": seconds since 1970} comes before the answer, each few seconds.
It leaves when its input ends.
"""

import gc
import json
import os
import queue
import socket
import sqlite3
import threading
import time
import traceback
from typing import Any, BinaryIO

from recexp import forking, system
from recexp.errors import StoreError
from recexp.tracking import client, store_errors
from recexp.tracking.tracker import Tracker


def main(files: int | None = None) -> None:
    """Answer requests until the input ends; `files` is the socket by which a copy's files come."""
    system.ignore_signals()
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # whatever a library prints must not look like an answer
    ready = threading.Event()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, lines, ready), daemon=True).start()
    gc.disable()  # objects of an import live on: to look through them again and again takes a tenth of its time
    client.load()
    gc.freeze()
    gc.set_threshold(100_000)  # the store's library makes thousands of objects a run and no garbage to speak of
    gc.enable()
    ready.set()

    def say(what: dict[str, Any]) -> bool:
        try:
            answers.write(json.dumps(what).encode() + b"\n")
            answers.flush()
        except OSError:  # nobody reads it any more
            return False
        return True

    def tell() -> None:
        if not say({"waiting": time.time()}):
            os._exit(0)

    tracker = Tracker(tell)
    while line := lines.get():
        request = json.loads(line)
        wanted = request.pop("answer", True)
        answer = _copy(files) if request["do"] == "copy" else _answer(tracker, request)
        if wanted and not say(answer):
            break
    os._exit(0)


def _copy(files: int | None) -> dict[str, Any]:
    """Start a copy of this process, which goes on as one that has just begun, and tell its number.

    The connections of this one are left alone there, as SQLAlchemy advises.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    engines: dict[str, Any] | None = getattr(SqlAlchemyStore, "_engine_map", None)
    with socket.socket(fileno=os.dup(files or 0)) as ours:
        _, (into, out), _, _ = socket.recv_fds(ours, 1, 2)

    def again() -> None:
        for engine in (engines or {}).values():
            engine.dispose(close=False)
        main()

    if engines is None:
        return {"error": {"kind": "StoreError", "message": "this MLflow cannot be copied", "trace": ""}}
    return {"ok": forking.begin(again, into, out, 2)}


def _listen(requests: BinaryIO, lines: "queue.SimpleQueue[bytes]", ready: threading.Event) -> None:
    for line in requests:
        if line.endswith(b"\n"):  # else the parent was interrupted
            lines.put(line)
    if not ready.is_set():
        os._exit(0)  # the parent has gone before anything was begun
    lines.put(b"")


def _answer(tracker: Tracker, request: dict[str, Any]) -> dict[str, Any]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    do = request.pop("do")
    try:
        return {"ok": getattr(tracker, do)(**request)}
    except (StoreError, OSError, ImportError, sqlite3.Error, MlflowException, SQLAlchemyError) as error:
        problem = store_errors.explain(error, tracker.uri)
        return {"error": {"kind": type(problem).__name__, "message": str(problem), "trace": ""}}
    except Exception as error:  # the end of this process's world: the parent raises it in its own
        message = f"tracking, {do}: {type(error).__name__}: {error}"
        return {"error": {"kind": "", "message": message, "trace": traceback.format_exc()}}
