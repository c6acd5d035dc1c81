"""What all launchers share: prepare the jobs, skip finished ones, show the progress, and hand results to Hydra."""

import logging
import os
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import open_dict

from recexp import config, console, trust
from recexp.errors import ConfigError, RecexpError
from recexp.secrets import mask
from recexp.sweeps import jobs
from recexp.sweeps.jobs import FAILED, JobResult, SweepJob
from recexp.sweeps.progress_view import ProgressView
from recexp.sweeps.sweep import Sweep
from recexp.tracking import store_uri

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from recexp.config_files.hydra_loader import CheckedLoader
    from recexp.runners.base import Experiment

log = logging.getLogger(__name__)

CHECK_SECONDS = 3.0
"""How long the words of a sweep are looked through before its first job; what is wrong beyond fails its own job."""
ENVIRONMENT = ("RECEXP_DATA", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", trust.VARIABLE)
"""What a job depends on and a process elsewhere must be told."""


class JobLauncher(Launcher):
    """Launches the jobs of a `Sweep`; a subclass says where each is worked at."""

    def setup(self, *, hydra_context: "HydraContext", task_function: "TaskFunction", config: "DictConfig") -> None:
        self.context, self.config, self.task = hydra_context, config, task_function
        sweep = getattr(task_function, "__self__", None)
        if not isinstance(sweep, Sweep):
            raise ConfigError(f"hydra/launcher: {type(self).__name__} only runs jobs of the command recexp")
        self.sweep = sweep
        self.check()
        self._loader = cast("CheckedLoader", hydra_context.config_loader)
        self._load: Callable[..., DictConfig] = self._loader.load_sweep_config
        # Hydra's sweeper composes each job to check it, and throws it away; `_check_options` is for that
        self._loader.load_sweep_config = lambda **words: None  # type: ignore[assignment, method-assign]

    def check(self) -> None:
        """Raise ConfigError when what the launcher needs is not there."""

    def threads(self, jobs: int) -> int | None:
        """Return how many threads each of so many jobs gets; None: all cores."""
        return None

    @abstractmethod
    def work(self, todo: "Sequence[SweepJob]", view: ProgressView) -> Generator[tuple[SweepJob, JobResult]]:
        """Run the jobs, telling `view` of each that begins, and yield each that has ended with its result."""

    def composed(self, job: SweepJob) -> "DictConfig":
        """Return a job's config; raises what Hydra raises."""
        return self._compose(job.words, job.number)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Return what became of each job: its metrics, or the error."""
        console.configure_logging(config.plain(self.config)["logging"])
        words = dict(enumerate(map(list, job_overrides), initial_job_idx))
        self._check_options([*words.values()])
        results, experiments = self._prepare(words)
        self._refuse(results, len(words))
        stores = [experiment.tracking for experiment in experiments.values()]
        for tracking in {(tracking.uri, tracking.experiment): tracking for tracking in stores}.values():
            with tracking.open() as store:
                if store_uri.sqlite_file(store.uri) is None:
                    log.info("%d jobs; opening %s, which takes longer the first time", len(words), mask(store.uri))
                store.ready()  # else each job would find out by itself that there is none
        self._skip(results, experiments)
        folder = Path(str(self.config.hydra.sweep.dir))
        self.sweep.name = self.sweep.name or folder.name
        self.sweep.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        n_threads = self.threads(len(words) - len(results))
        all_jobs = [self._job(some, number, n_threads) for number, some in words.items()]
        self.sweep.commands += [job.command for job in all_jobs]
        for job in all_jobs:
            if job.number in results:
                self.sweep.add(job.command, results[job.number])
        todo = [job for job in all_jobs if job.number not in results]
        first = next(iter(experiments.values()), None)
        with ProgressView(
            [job.command for job in all_jobs], None if first is None else first.runner.headline(first)
        ) as view:
            for number, result in results.items():
                view.ended(all_jobs[number - initial_job_idx], result)
            with closing(self.work(todo, view)) as working:
                for job, result in working:
                    results[job.number] = result
                    self.sweep.add(job.command, result)
                    view.ended(job, result)
            self.sweep.deaths += view.deaths
        return [_returned(job, results[job.number]) for job in all_jobs]

    def _compose(self, words: Sequence[str], number: int) -> "DictConfig":
        cfg = self._load(self.config, [*words])
        with open_dict(cfg):
            cfg.hydra.job.num, cfg.hydra.job.id = number, str(number)
        return cfg

    def _check_options(self, jobs: Sequence[Sequence[str]]) -> None:
        """Compose the first job of each choice of options, as many as there is time for; raises what Hydra raises."""
        until, seen = time.monotonic() + CHECK_SECONDS, set()
        for words in jobs:
            options = self._loader.options([*words])
            if options not in seen:
                seen.add(options)
                self._compose(words, 0)
            if time.monotonic() > until:
                return

    def _prepare(self, words: dict[int, list[str]]) -> "tuple[dict[int, JobResult], dict[int, Experiment]]":
        """Build jobs, up to the first that can be built: then not all of them are wrong, and the others are built when
        it is their turn. On resume all are, to be looked for in the store."""
        results: dict[int, JobResult] = {}
        experiments: dict[int, Experiment] = {}
        for number, some in words.items():
            try:
                cfg = self._compose(some, number)
                HydraConfig.instance().set_config(cfg)
                experiments[number] = jobs.prepare(cfg, tags={})
            except Exception as error:
                results[number] = JobResult(FAILED, error=error)
            if experiments and not experiments[min(experiments)].resume:
                break
        return results, experiments

    def _refuse(self, results: dict[int, JobResult], jobs_in_all: int) -> None:
        """Raise what is wrong with all jobs alike: a mistake in shared words is reported once, and nothing runs."""
        errors = [result.error for result in results.values()]
        if (
            len(errors) == jobs_in_all
            and len({str(error) for error in errors}) == 1
            and isinstance(errors[0], RecexpError)
        ):
            raise errors[0]

    def _skip(self, results: dict[int, JobResult], experiments: "dict[int, Experiment]") -> None:
        """On resume, add the results of finished jobs, and go on under the name of the sweep that most belong to."""
        found = jobs.find_complete([experiment for experiment in experiments.values() if experiment.resume])
        for number, experiment in experiments.items():
            if experiment.resume and experiment.job_key in found:
                results[number] = found[experiment.job_key][1]
        names = Counter(sweep for sweep, _ in found.values() if sweep)
        if names and self.sweep.name is None:
            self.sweep.name = names.most_common(1)[0][0]

    def _job(self, words: list[str], number: int, n_threads: int | None) -> SweepJob:
        task = [word for word in words if not word.lstrip("+~").startswith(("hydra.", "hydra/"))]
        return SweepJob(
            number=number,
            words=words,
            overrides=[*self.config.hydra.overrides.hydra, *words],
            sweep=self.sweep.name or "",
            folder=os.getcwd(),
            config_dirs=[str(folder) for folder in config.search_dirs()[:-1]],
            trusted=asdict(trust.given()),
            environment={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            threads=n_threads,
            command=jobs.command_of(task),
        )


def _returned(job: SweepJob, result: JobResult) -> JobReturn:
    failed = result.state == FAILED
    returned = JobReturn(overrides=job.words, status=JobStatus.FAILED if failed else JobStatus.COMPLETED)
    returned.return_value = result.error if failed else result.metrics or None
    return returned
