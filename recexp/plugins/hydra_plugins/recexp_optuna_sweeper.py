"""A sweeper that searches an algorithm's values: each trial is a job, and so a run, that sees validation alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

if TYPE_CHECKING:
    from recexp.tuning.searches import Search


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
        from hydra.core.plugins import Plugins

        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        from recexp import console
        from recexp.tuning import searches

        found, passed = searches.of(arguments, OmegaConf.to_container(self.tuning, resolve=True))
        console.configure_logging(found[0].experiment.config["logging"])
        done = [job for search in found for job in self._search(search)]
        console.reasons("passed over", passed)
        return done

    def _search(self, search: "Search") -> list[JobReturn]:
        from recexp.tuning import searches
        from recexp.tuning.overrides import overrides

        sealed = search.seal()
        study, identity = search.study(sealed), sealed.identity
        del sealed
        words = [word for word in search.words if not word.startswith(("runner=", "resume="))]
        done: list[JobReturn] = []
        while trials := [trial for trial in (study.ask() for _ in range(max(1, self.jobs))) if trial is not None]:
            jobs = [[*words, "runner=validation", *overrides(trial.params)] for trial in trials]
            for trial, job in zip(trials, self._launch(jobs)):
                study.tell(trial, *_outcome(job, study.metric))
                done.append(job)
        best = study.best
        done += self._launch([[*words, "resume=true", *overrides(best.params)]])
        if done[-1].status == JobStatus.COMPLETED:
            searches.attach(search, study, searches.run_of(search, identity, best))
        return done

    def _launch(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        first, self.launched = self.launched, self.launched + len(jobs)
        return list(self.launcher.launch(jobs, initial_job_idx=first))


def _outcome(job: JobReturn, metric: str) -> tuple[float | None, str]:
    """Return a trial's metric, or None and why there is none."""
    if job.status != JobStatus.COMPLETED:
        return None, str(job._return_value)
    metrics: dict[str, Any] = job.return_value or {}
    values = [v for name, v in metrics.items() if name.startswith("validation") and name.endswith(f"/{metric}")]
    return (values[0], "") if values else (None, f"the job gave no validation/{metric}")
