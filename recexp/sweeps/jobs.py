"""One job: a composed config is carried out, and what became of it is told, in this process or by another in JSON."""

import json
import os
import shlex
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp import config, console, threads
from recexp.errors import MisfitError, RecexpError, said
from recexp.identity import digest
from recexp.params import describe, locations

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recexp.runners.base import Experiment, Outcome, Runner

DONE, SKIPPED, MISFIT, FAILED = "done", "skipped", "passed over", "failed"


@dataclass(frozen=True)
class Job:
    """What a process is told of a job: the words that make it, and where.

    Attributes
    ----------
    number : its place in the sweep, from 0.
    overrides : the words that compose its config, Hydra's own among them.
    sweep : the name of the sweep that it belongs to.
    folder : the working directory.
    config_dirs : the user's folders of yaml.
    environment : variables that it depends on.
    threads : how many threads work at it; None: all cores.
    command : what repeats it alone.
    """

    number: int
    overrides: list[str]
    sweep: str
    folder: str
    config_dirs: list[str]
    environment: dict[str, str]
    threads: int | None
    command: str


@dataclass
class Result:
    """What became of a job: `state` is one of done, skipped (done before), passed over and failed."""

    state: str
    outcomes: "list[Outcome]" = field(default_factory=list)
    error: Exception | None = None
    seconds: float = 0.0

    @property
    def metrics(self) -> dict[str, float]:
        """The means over the outcomes (folds) of what all of them have."""
        first, *others = [outcome.metrics for outcome in self.outcomes] or [{}]
        rows = [first, *others]
        return {k: sum(row[k] for row in rows) / len(rows) for k in first if all(k in row for row in others)}

    def to_json(self) -> str:
        """Return all but the models as one line."""
        error = None
        if self.error is not None:
            error = {
                "text": said(self.error),
                "code": getattr(self.error, "exit_code", 1),
                "trace": "".join(traceback.format_exception(self.error)),
            }
        outcomes = [asdict(replace(outcome, model=None)) for outcome in self.outcomes]
        return json.dumps({"state": self.state, "outcomes": outcomes, "error": error, "seconds": self.seconds})

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """Return what `to_json` told; an error of any class comes back as RecexpError."""
        from recexp.runners.base import Outcome

        result = json.loads(text)
        error = None
        if result["error"] is not None:
            error = RecexpError(result["error"]["text"])
            error.exit_code = result["error"]["code"]
            error.add_note(result["error"]["trace"])
        outcomes = []
        for told in result["outcomes"]:
            intervals = {name: tuple(pair) for name, pair in told["intervals"].items()}
            shown = tuple(tuple(row) for row in told["shown"])
            outcomes.append(Outcome(**{**told, "intervals": intervals, "shown": shown}))
        return cls(result["state"], outcomes, error, result["seconds"])


def execute(cfg: "DictConfig", *, tags: dict[str, str], n_threads: int | None = None) -> Result:
    """Carry out the job that a config (Hydra's part included) describes; what goes wrong is part of the result.

    `n_threads` (None: all cores) work where the config does not say how many.
    """
    began = time.monotonic()
    try:
        console.configure_logging(config.plain(cfg)["logging"])
        runner, experiment = prepare(cfg, tags=tags)
        if experiment.resume and (found := finished([experiment])):
            return found[experiment.job][1]
        with threads.limit(n_threads):  # once the libraries are there that it limits
            outcomes = runner.run(experiment)
        state = SKIPPED if outcomes and all(outcome.earlier for outcome in outcomes) else DONE
        return Result(state, outcomes, seconds=time.monotonic() - began)
    except MisfitError as error:
        return Result(MISFIT, error=error, seconds=time.monotonic() - began)
    except Exception as error:
        return Result(FAILED, error=error, seconds=time.monotonic() - began)


def perform(text: str) -> str:
    """Carry out a job given in JSON (`Job`) and return its result in JSON."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    job = Job(**json.loads(text))
    try:
        os.chdir(job.folder)
        os.environ.update(job.environment)
        if job.folder not in sys.path:
            sys.path.append(job.folder)
        if job.config_dirs != [str(folder) for folder in config.search_dirs()[:-1]]:
            config.use_config_dirs(job.config_dirs)
        cfg = config.compose(job.overrides)
        with open_dict(cfg):
            cfg.hydra.job.num, cfg.hydra.job.id = job.number, str(job.number)
        HydraConfig.instance().set_config(cfg)
        return execute(cfg, tags={"sweep": job.sweep}, n_threads=job.threads).to_json()
    except Exception as error:
        return Result(FAILED, error=error).to_json()


def prepare(cfg: "DictConfig", *, tags: dict[str, str]) -> "tuple[Runner, Experiment]":
    """Build and check a job, and give it its key."""
    runner, experiment = config.experiment(cfg, tags=tags)
    return runner, replace(experiment, job=key(runner, experiment))


def key(runner: "Runner", x: "Experiment") -> str | None:
    """Return the digest of all that decides a job's results, known before its data are loaded; None: it is not known.

    That is the case while the data are not on this machine, or when they come from nowhere that can be looked at.
    """
    from recexp.runners.identity import content

    source, base = x.source, x.source.location()
    if base is None and source.files() != {}:
        return None
    beside = [path for path in _paths(source) if path.is_file()]  # what is no file is another way to get at `base`
    data = [] if base is None else [base]
    files = [_content(path) for path in (*data, *beside, *_paths([x.filters, x.splitter]))]
    if None in files:
        return None
    known, told = content(x, runner), describe(source)
    if None in known.get("code", {}).values():
        return None
    told.pop("name")  # it says where a user's own data come from, not what they are
    return digest({**known, "source": told, "splitter": describe(x.splitter), "files": files})


def finished(experiments: "list[Experiment]") -> "dict[str, tuple[str | None, Result]]":
    """Return the sweep and the result of those jobs, by key, that their stores have complete; raises StoreError."""
    from recexp.runners.base import Outcome

    stores: dict[tuple[str | None, str], list[Experiment]] = {}
    for x in experiments:
        if x.job is not None:
            stores.setdefault((x.tracking.uri, x.tracking.experiment), []).append(x)
    found: dict[str, tuple[str | None, Result]] = {}
    for alike in stores.values():
        with alike[0].tracking.open() as store:
            for job, done in store.jobs_done([x.job for x in alike]).items():
                found[job] = (done.sweep, Result(SKIPPED, [Outcome.there(run, store) for run in done.runs]))
    return found


def command_of(overrides: list[str]) -> str:
    """Return the words that repeat a job alone."""
    folders = (f"--config-dir={folder}" for folder in config.search_dirs()[:-1])
    return shlex.join(["recexp", *folders, *overrides])


def _paths(component: Any) -> list[Path]:
    return [Path(given).expanduser() for given in locations(component) if "://" not in given]


def _content(path: Path) -> str | None:
    """Return a digest of a file, the files of a folder, or the archive that a member's path leads into."""
    while not path.exists() and path != path.parent:
        path = path.parent
        if path.is_dir():
            return None
    if path.is_dir():
        inside = [_content(file) for file in sorted(path.rglob("*")) if file.is_file()]
        return digest(inside)
    stat = path.stat()
    return _sha(str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@cache
def _sha(path: str, *state: int) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
