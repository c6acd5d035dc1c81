"""Run: one experiment on its way into the store. It counts as complete only once everything is there."""

import logging
import math
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import uuid4

from recexp import file_names, scratch, system
from recexp.errors import DiskFullError, RecexpError
from recexp.secrets import mask
from recexp.tracking import keeping, run_log, store_errors, store_uri, view
from recexp.tracking.curves import Curves, Point
from recexp.tracking.names import as_params, clean
from recexp.tracking.process import TrackingProcess
from recexp.tracking.tags import EVALUATIONS

log = logging.getLogger(__name__)

SEND_SECONDS = 1.0
"""How long points of learning curves gather before they go to the store."""


class Input(NamedTuple):
    """A dataset that went in: its role (train, test), name, content digest (sha256) and where it came from."""

    context: str
    name: str
    digest: str
    source: str


class Target(NamedTuple):
    """Where a run goes: the process that writes it, its answer that the store is open, the store's URI, the name of the
    experiment, and whether the model and code that is not committed are kept."""

    process: TrackingProcess
    opening: "Future[str]"
    uri: str
    log_model: bool
    experiment: str
    git_diff: bool


class Run:
    """A run in the making, used as a `with` block that calls `finish` once.

    An exception marks the run FAILED (KILLED on Ctrl-C and SIGTERM) with its reason in the tag `recexp.error`. When
    the disk is full, what was written of the run is removed and DiskFullError raised.

    Attributes
    ----------
    directory : what is written below it becomes the run's files.
    scratch : a folder for what is needed on the way and not kept; removed at the end.
    ended : when the run ended, in milliseconds; None before.
    """

    def __init__(
        self,
        target: Target,
        name: str,
        tags: Mapping[str, str],
        *,
        began: int,
        log_so_far: list[logging.LogRecord],
    ) -> None:
        self._target = target
        self._process = target.process
        self._began = began
        self._log_so_far = log_so_far
        self._name = name
        self._tags = {**tags, "mlflow.source.name": "recexp", "mlflow.source.type": "LOCAL"}
        with suppress(OSError, KeyError, ImportError):  # a user without a name; on Windows no module to ask
            self._tags["mlflow.user"] = getuser()
        self._curves = Curves()
        self._finished = False
        self.ended: int | None = None

    def __enter__(self) -> Self:
        with store_errors.translate_errors(self._target.uri):
            self.scratch = scratch.make()
            self.directory = self.scratch / "files"
            self.directory.mkdir()
        self._log = run_log.LogFile(self.directory / file_names.LOG, self._log_so_far)
        self._creating = self._create()
        self._process.send("prepare")
        self._sent_at = now()
        self._restore_sigterm = system.exit_on_sigterm()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._restore_sigterm()
        try:
            if isinstance(error, Exception) and (store_errors.is_full(error) or isinstance(error, DiskFullError)):
                self._discard()
                raise store_errors.explain(error, self._target.uri) from error
            if not self._finished:
                self._fail(error)
        finally:
            self._log.close()
            scratch.remove(self.scratch)
            self.ended = now()

    @property
    def id(self) -> str:
        """The run's id in the store."""
        self._process.result(self._target.opening)
        run_id: str = self._process.result(self._creating)
        return run_id

    @property
    def link(self) -> str:
        """The link to the run's page."""
        return view.run_link(self._target.uri, self._process.result(self._target.opening), self.id)

    def count_evaluation(self, test: str) -> int:
        """Mark the run as one that evaluates a test set (a digest); return how many have by now, this one included.

        It counts from now on, whatever becomes of the run, in all experiments of the store.
        """
        return int(self._process.ask("count_evaluation", run_id=self.id, test=test))

    def log_step(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to learning curves; at most once in SEND_SECONDS what has gathered goes to the store."""
        moment = now()
        self._curves.add(step, values, moment)
        if moment - self._sent_at >= 1000 * SEND_SECONDS:
            self._process.tell("log_points", points=self._curves.unsent())
            self._sent_at = moment

    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """Return the learning curves so far: (step, value) pairs by name."""
        return self._curves.by_name()

    def finish(
        self,
        *,
        metrics: Mapping[str, float],
        params: Mapping[str, Any],
        description: str | Callable[[int], str],
        inputs: Iterable[Input],
        model_folder: Path | None,
        own_files: Sequence[str] = (),
        view: str | None = None,
        test: str | None = None,
    ) -> None:
        """Write everything and mark the run as complete; raises StoreError.

        While another program holds the store it waits; an interrupt then leaves all in a file, to be imported.

        Parameters
        ----------
        metrics : values by full name, the headline first; those that are not finite are left out.
        params : the resolved config, nested; logged under dotted names.
        description : Markdown for the run's page, or what makes it of how often the test set has been evaluated.
        inputs : the datasets that went in.
        model_folder : a saved model, or None.
        own_files : the person's own code and yaml, kept in git.diff where git does not track them.
        view : the state of the UI's table of runs, kept where the experiment has none; see `view.view_state`.
        test : a digest of the test set that was evaluated, where that counts.
        """
        moment, described, looks = now(), description if callable(description) else lambda _: description, 0
        values = [(name, float(value), moment, 0) for name, value in metrics.items()]
        plain = {"params": as_params(params), "view": view}
        sources = [item._asdict() for item in inputs]
        saved = model_folder if self._target.log_model else None
        own = list(own_files) if self._target.git_diff else None
        try:
            looks = self.count_evaluation(test) if test is not None else 0
            run_id, text = self.id, mask(described(looks))
            if earlier := self._process.ask("repeated"):
                log.info("equal to run %s: the same config, data and code; resume=true uses that run instead", earlier)
            self._log.close()
            self._process.ask(
                "finish",
                run_id=run_id,
                folder=str(self.directory),
                values=values,
                points=self._curves.unsent(),
                description=text,
                inputs=sources,
                saved=None if saved is None else str(saved),
                own_files=own,
                **plain,
            )
        except (KeyboardInterrupt, SystemExit):
            if self._process.waiting or store_uri.held(self._target.uri):
                tags = {"mlflow.note.content": mask(described(looks)), **({EVALUATIONS: str(looks)} if test else {})}
                self._keep({**plain, "tags": {**self._tags, **tags}}, values, sources, saved, own)
            raise
        self._finished = True

    def _keep(
        self,
        record: dict[str, Any],
        values: list[Point],
        inputs: list[dict[str, str]],
        model: Path | None,
        own_files: Sequence[str] | None,
    ) -> None:
        """Write the run to a file in the working directory, and say how it gets into the store; nothing more does."""
        created = self._creating.done() and self._creating.exception() is None
        run_id = self._creating.result() if created else uuid4().hex
        self._process.kill()
        whole = {
            "id": run_id,
            "name": self._name,
            "experiment": self._target.experiment,
            "started": self._began,
            "ended": now(),
            **record,
        }
        points = [*values, *self._curves.points]
        finite = [(clean(name), value, at, step) for name, value, at, step in points if math.isfinite(value)]
        file = keeping.keep(
            Path.cwd(),
            whole,
            files=self.directory,
            model=model,
            points=finite,
            inputs=inputs,
            own_files=own_files,
        )
        log.error(
            "interrupted: run it again with resume=true; or import it from its file with: %s",
            keeping.command(file, self._target.uri),
        )

    def _create(self) -> "Future[str]":
        return self._process.send("create", name=self._name, tags=self._tags, began=self._began)

    def _fail(self, error: BaseException | None) -> None:
        """Mark the run as failed, with the reason; best effort, for the error itself matters more."""
        killed = isinstance(error, KeyboardInterrupt | SystemExit)
        reason = "the run ended without results"
        if error is not None:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
        self._log.write_traceback(error)
        try:
            self._process.ask(
                "fail",
                run_id=self.id,
                points=self._curves.unsent(),
                reason=mask(reason)[:500],
                status="KILLED" if killed else "FAILED",
                log_file=str(self.directory / file_names.LOG),
            )
        except RecexpError as problem:
            log.debug("the failed run could not be marked as such: %s", problem)

    def _discard(self) -> None:
        """Remove what was written of the run, space first."""
        self._log.close()
        shutil.rmtree(self.scratch, ignore_errors=True)
        try:
            self._process.ask("discard", run_id=self.id)
        except RecexpError as problem:
            log.warning("the unfinished run could not be removed: %s", problem)


def now() -> int:
    """Return the time as MLflow notes it: milliseconds since 1970."""
    return int(time.time() * 1000)
