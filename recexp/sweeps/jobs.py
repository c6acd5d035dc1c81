"""One job of a sweep: its config is carried out, in this process or in another that is sent it in JSON.

Hydra loads this file with its plugins, so that a wrong word is told before runners are imported (0.4 s); and a worker
starts its tracking process before Hydra is imported (0.3 s).
"""

import json
import os
import shlex
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from recexp import config, console, threads, trust
from recexp.errors import IncompatibleError, RecexpError, error_message
from recexp.identity import digest
from recexp.trust import Trust

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recexp.runners.base import Experiment
    from recexp.runners.result import RunResult

DONE, SKIPPED, INCOMPATIBLE, FAILED = "done", "skipped", "incompatible", "failed"


@dataclass(frozen=True)
class SweepJob:
    """One job as it is sent to a process: the words that make it, and where.

    Attributes
    ----------
    number : its place in the sweep, from 0.
    words : those of the sweep that make it.
    overrides : all that compose its config, Hydra's own among them.
    sweep : the name of the sweep that it belongs to.
    folder : the working directory.
    config_dirs : the user's folders of yaml.
    trusted : whose code may run beside recexp's, as `trust.Trust` has it.
    environment : variables that it depends on.
    threads : how many threads work at it; None: all cores.
    command : what repeats it alone.
    """

    number: int
    words: list[str]
    overrides: list[str]
    sweep: str
    folder: str
    config_dirs: list[str]
    trusted: dict[str, list[str]]
    environment: dict[str, str]
    threads: int | None
    command: str


@dataclass
class JobResult:
    """What became of a job: `state` is one of done, skipped (done before), incompatible and failed."""

    state: str
    runs: "list[RunResult]" = field(default_factory=list)
    error: Exception | None = None
    seconds: float = 0.0

    @property
    def metrics(self) -> dict[str, float]:
        """The means over the runs (folds) of what all of them have."""
        first, *others = [run.metrics for run in self.runs] or [{}]
        rows = [first, *others]
        return {k: sum(row[k] for row in rows) / len(rows) for k in first if all(k in row for row in others)}

    def to_json(self) -> str:
        """Return all but the models as one line."""
        error = None
        if self.error is not None:
            error = {
                "text": error_message(self.error),
                "code": getattr(self.error, "exit_code", 1),
                "trace": "".join(traceback.format_exception(self.error)),
            }
        runs = [asdict(replace(run, model=None)) for run in self.runs]
        return json.dumps({"state": self.state, "runs": runs, "error": error, "seconds": self.seconds})

    @classmethod
    def from_json(cls, text: str) -> "JobResult":
        """Return the result of a line that `to_json` made; an error of any class comes back as RecexpError."""
        from recexp.runners.result import RunResult

        result = json.loads(text)
        error = None
        if result["error"] is not None:
            error = RecexpError(result["error"]["text"])
            error.exit_code = result["error"]["code"]
            error.add_note(result["error"]["trace"])
        runs = []
        for run in result["runs"]:
            intervals = {name: tuple(pair) for name, pair in run["intervals"].items()}
            shown = tuple(tuple(row) for row in run["shown"])
            runs.append(RunResult(**{**run, "intervals": intervals, "shown": shown}))
        return cls(result["state"], runs, error, result["seconds"])


def execute(cfg: "DictConfig", *, tags: dict[str, str], n_threads: int | None = None, quiet: bool = False) -> JobResult:
    """Carry out the job that a config (Hydra's part included) describes; what goes wrong is part of the result.

    `n_threads` (None: all cores) work where the config does not say how many. `quiet`: of what it logs, warnings alone
    are shown.
    """
    began = time.monotonic()
    try:
        console.configure_logging(config.plain(cfg)["logging"], quiet=quiet)
        experiment = prepare(cfg, tags=tags)
        if experiment.resume:
            for _, result in find_complete([experiment]).values():
                return result
        from recexp.runners.driver import run_experiment

        with threads.limit(n_threads):  # once the libraries are there that it limits
            runs = run_experiment(experiment)
        state = SKIPPED if runs and all(run.reused for run in runs) else DONE
        return JobResult(state, runs, seconds=time.monotonic() - began)
    except IncompatibleError as error:
        return JobResult(INCOMPATIBLE, error=error, seconds=time.monotonic() - began)
    except Exception as error:
        return JobResult(FAILED, error=error, seconds=time.monotonic() - began)


def perform(text: str) -> str:
    """Carry out a job given in JSON (`SweepJob`) and return its result in JSON."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    job = SweepJob(**json.loads(text))
    try:
        os.chdir(job.folder)
        os.environ.update(job.environment)
        trusted = Trust(**{name: tuple(values) for name, values in job.trusted.items()})
        if (job.config_dirs, trusted) != ([str(folder) for folder in config.search_dirs()[:-1]], trust.given()):
            config.use_config_dirs(job.config_dirs, trusted)
        cfg = config.compose(job.overrides)
        with open_dict(cfg):
            cfg.hydra.job.num, cfg.hydra.job.id = job.number, str(job.number)
        HydraConfig.instance().set_config(cfg)
        return execute(cfg, tags={"sweep": job.sweep}, n_threads=job.threads).to_json()
    except Exception as error:
        return JobResult(FAILED, error=error).to_json()


def prepare(cfg: "DictConfig", *, tags: dict[str, str]) -> "Experiment":
    """Build and check a job's experiment, and give it its key."""
    from recexp.config import experiments

    experiment = experiments.experiment(cfg, tags=tags)
    return replace(experiment, job_key=key(experiment))


def key(experiment: "Experiment") -> str | None:
    """Return the digest of all that decides a job's results, known before its data are loaded; None: it is not known.

    That is the case while the data are not on this machine, or when they come from nowhere that can be looked at.
    """
    from recexp.runners.identity import content

    job_content, config_content = experiment.runner.job_content(experiment), content(experiment)
    if job_content is None or None in config_content.get("code", {}).values():
        return None
    return digest({**config_content, **job_content})


def find_complete(experiments: "list[Experiment]") -> "dict[str, tuple[str | None, JobResult]]":
    """Return the sweep and the result of those jobs, by key, that their stores have complete; raises StoreError."""
    from recexp.runners.result import RunResult

    by_store: dict[tuple[str | None, str], dict[str, Experiment]] = {}
    for experiment in experiments:
        if experiment.job_key is not None:
            store_key = (experiment.tracking.uri, experiment.tracking.experiment)
            by_store.setdefault(store_key, {})[experiment.job_key] = experiment
    found: dict[str, tuple[str | None, JobResult]] = {}
    for jobs in by_store.values():
        with next(iter(jobs.values())).tracking.open() as store:
            for job_key, complete in store.find_complete_jobs([*jobs]).items():
                final = jobs[job_key].runner.final
                runs = [RunResult.of_stored(run, store, final) for run in complete.runs]
                found[job_key] = (complete.sweep, JobResult(SKIPPED, runs))
    return found


def command_of(words: list[str]) -> str:
    """Return the command line of these words, with the user's config folders of now."""
    return shlex.join(["recexp", *config.flags(), *words])
