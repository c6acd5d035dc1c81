"""Launchers on this machine."""

from collections.abc import Generator, Sequence
from pathlib import Path

from hydra.core.utils import run_job

from recexp import system, threads
from recexp.params import PositiveInt, params
from recexp.sweeps.jobs import FAILED, JobResult, SweepJob
from recexp.sweeps.launcher import JobLauncher
from recexp.sweeps.pool import Pool
from recexp.sweeps.progress_view import ProgressView


@params
class InProcess(JobLauncher):
    """One job after another in this process."""

    def work(self, todo: Sequence[SweepJob], view: ProgressView) -> Generator[tuple[SweepJob, JobResult]]:
        for job in todo:
            try:
                cfg = self.composed(job)
            except Exception as error:
                yield job, JobResult(FAILED, error=error)
                continue
            run_job(
                hydra_context=self.context,
                task_function=self.task,
                config=cfg,
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
            )
            yield job, self.sweep.results[job.command]


@params
class Processes(JobLauncher):
    """A pool of processes, each for many jobs; the job of one that dies is begun once more on another.

    Parameters
    ----------
    workers : how many jobs run at a time; each gets an equal share of the cores as threads.
    memory_mib : a job that holds more memory of its own fails; None: an equal share of what is free.
    """

    workers: PositiveInt
    memory_mib: PositiveInt | None

    def threads(self, jobs: int) -> int:
        return max(1, threads.count() // max(1, min(self.workers, jobs)))

    def work(self, todo: Sequence[SweepJob], view: ProgressView) -> Generator[tuple[SweepJob, JobResult]]:
        if not todo:
            return
        view.show()
        workers = min(self.workers, len(todo))
        free = system.free_mib()
        limit = self.memory_mib or (None if free is None else max(1, free // workers))
        folder = Path(str(self.config.hydra.sweep.dir))
        pool = Pool(workers, memory_mib=limit, folder=folder)
        yield from pool.run(todo, view.began, view.lost)
