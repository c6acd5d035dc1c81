"""A sweeper that searches an algorithm's values: each trial is a job, and so a run, that sees validation alone.

Hydra loads this file with each config that it composes: what tuning imports (0.4 s) waits until it is used.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from recexp import console
from recexp.config.composing import mapping
from recexp.errors import ConfigError

if TYPE_CHECKING:
    from recexp.tuning.job import TuningJob


class OptunaSweeper(Sweeper):
    """Asks a study for values, hands them to the launcher, and at last the best of them, to be tested.

    The study is that of `recexp tune`: either goes on with what the other began.

    Parameters
    ----------
    tuning : see `recexp.tuning.Tuning`.
    jobs : how many trials are launched together.
    """

    def __init__(self, tuning: DictConfig, jobs: int) -> None:
        self.tuning, self.jobs, self.launched = tuning, jobs, 0

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        from recexp.tuning import job as tuning_jobs

        jobs, left_out = tuning_jobs.jobs_of(arguments, mapping(OmegaConf.to_container(self.tuning, resolve=True)))
        console.configure_logging(jobs[0].experiment.config["logging"])
        done = [returned for job in jobs for returned in self._tune(job)]
        console.reasons("incompatible", left_out)
        return done

    def _tune(self, job: "TuningJob") -> list[JobReturn]:
        from recexp.tuning.job import attach_study, find_best_run
        from recexp.tuning.overrides import overrides

        runner = job.experiment.runner
        if runner.trials is None:
            name = type(runner).__name__
            raise ConfigError(f"hydra/sweeper=optuna: {name} has no runs that can be trials; use recexp tune")
        objective = job.objective()
        study, identity, digest = job.study(objective), objective.identity, job.digest(objective)
        part = objective.part
        del objective
        words = [word for word in job.words if not word.startswith(("runner=", "resume="))]
        runner_words = [word for word in job.words if word.startswith("runner=")]
        done: list[JobReturn] = []
        while trials := [trial for trial in (study.ask() for _ in range(max(1, self.jobs))) if trial is not None]:
            chosen = [overrides(trial.params, runner.subject) for trial in trials]
            for trial, returned in zip(trials, self._launch([[*words, f"runner={runner.trials}", *c] for c in chosen])):
                study.tell(trial, *_value(returned, part, study.metric))
                done.append(returned)
        best = study.best
        done += self._launch([[*runner_words, *words, "resume=true", *overrides(best.params, runner.subject)]])
        if done[-1].status == JobStatus.COMPLETED:
            attach_study(job, study, digest, find_best_run(job, identity, best))
        return done

    def _launch(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        first, self.launched = self.launched, self.launched + len(jobs)
        return list(self._launcher.launch(jobs, initial_job_idx=first))


def _value(job: JobReturn, part: str, metric: str) -> tuple[float | None, str]:
    """Return a trial's metric, or None and why there is none."""
    if job.status != JobStatus.COMPLETED:
        return None, str(job._return_value)
    metrics: dict[str, Any] = job.return_value or {}
    values = [v for name, v in metrics.items() if name.startswith(part) and name.endswith(f"/{metric}")]
    return (values[0], "") if values else (None, f"the job returned no {part}/{metric}")
