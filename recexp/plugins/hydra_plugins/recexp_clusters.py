"""Launchers on clusters: Ray and Slurm. Jobs and results travel as JSON; recexp is installed on all nodes."""

import importlib.util
import json
import logging
import os
import time
from abc import abstractmethod
from collections import Counter, deque
from collections.abc import Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from recexp import threads
from recexp.errors import ConfigError, RecexpError
from recexp.params import PositiveInt, params
from recexp.sweeps import jobs
from recexp.sweeps.jobs import FAILED, JobResult, SweepJob
from recexp.sweeps.launcher import JobLauncher
from recexp.sweeps.pool import ATTEMPTS, END_SECONDS
from recexp.sweeps.progress_view import ProgressView


class Death(Exception):
    """A job's process or node ended before the job did."""


class Remote(JobLauncher):
    """Keeps a cluster as full as it has room; the job of a process or node that dies is begun once more."""

    package: str

    def check(self) -> None:
        if importlib.util.find_spec(self.package) is None:
            raise ConfigError(
                f"hydra/launcher={self.package}: needs the package {self.package}: pip install 'recexp[{self.package}]'"
            )

    def work(self, todo: Sequence[SweepJob], view: ProgressView) -> Generator[tuple[SweepJob, JobResult]]:
        if not todo:
            return
        queue, attempts = deque(todo), Counter[int]()
        submitted: dict[Any, SweepJob] = {}
        self.connect()
        view.show()
        try:
            while queue or submitted:
                some = [queue.popleft() for _ in range(min(len(queue), max(1, self.room()) - len(submitted)))]
                for job, handle in zip(some, self.submit([json.dumps(asdict(job)) for job in some]) if some else []):
                    attempts[job.number] += 1
                    submitted[handle] = job
                    view.began(job)
                for handle in self.wait(list(submitted)):
                    job = submitted.pop(handle)
                    try:
                        yield job, JobResult.from_json(self.take(handle))
                    except Death as death:
                        if attempts[job.number] < ATTEMPTS:
                            queue.append(job)
                            view.lost(job, str(death))
                        else:
                            yield job, JobResult(FAILED, error=RecexpError(str(death)))
        finally:
            self.end(list(submitted))

    @abstractmethod
    def connect(self) -> None:
        """Reach the cluster; raises ConfigError."""

    @abstractmethod
    def room(self) -> int:
        """Return how many jobs the cluster can run at a time now."""

    @abstractmethod
    def submit(self, jobs_as_json: list[str]) -> list[Any]:
        """Submit jobs in JSON and return a handle for each."""

    @abstractmethod
    def wait(self, handles: list[Any]) -> list[Any]:
        """Return those that have ended, after a second at most."""

    @abstractmethod
    def take(self, handle: Any) -> str:
        """Return the result in JSON; raises Death."""

    @abstractmethod
    def end(self, handles: list[Any]) -> None:
        """Cancel what has not ended, and leave the cluster."""


@params
class Ray(Remote):
    """Jobs as tasks of Ray.

    Parameters
    ----------
    address : of a running cluster ("auto": the one of this machine); None: one is started for the sweep.
    cpus : cores of a job, and its threads.
    memory_mib : memory that Ray sets aside for a job; None: none.
    """

    address: str | None
    cpus: PositiveInt
    memory_mib: PositiveInt | None
    package = "ray"

    def threads(self, jobs: int) -> int:
        return self.cpus

    def connect(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports its use over the net
        import ray

        here = {"num_cpus": max(self.cpus, threads.count()), "include_dashboard": False} if self.address is None else {}
        try:
            ray.init(address=self.address or "local", log_to_driver=False, logging_level=logging.ERROR, **here)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(f"hydra.launcher.address: no Ray cluster answers at {self.address} ({error})") from error
        memory = {} if self.memory_mib is None else {"memory": self.memory_mib * 2**20}
        self._task = ray.remote(jobs.perform).options(num_cpus=self.cpus, max_retries=0, **memory)

    def room(self) -> int:
        import ray

        return int(ray.cluster_resources().get("CPU", 0)) // self.cpus

    def submit(self, jobs_as_json: list[str]) -> list[Any]:
        return [self._task.remote(job) for job in jobs_as_json]

    def wait(self, handles: list[Any]) -> list[Any]:
        import ray

        ended: list[Any] = ray.wait(handles, num_returns=1, timeout=1.0)[0]
        return ended

    def take(self, handle: Any) -> str:
        import ray

        try:
            return str(ray.get(handle))
        except ray.exceptions.RayError as error:
            raise Death(f"{type(error).__name__}: {error}".splitlines()[0]) from error

    def end(self, handles: list[Any]) -> None:
        import ray

        for handle in handles:
            ray.cancel(handle, force=False)
        if handles:
            ray.wait(handles, num_returns=len(handles), timeout=END_SECONDS)
        ray.shutdown()


@params
class Submitit(Remote):
    """Jobs of Slurm, through submitit.

    Parameters
    ----------
    cluster : slurm, or local (processes of this machine); None: Slurm where there is one.
    folder : scripts and logs go here; all nodes must see it.
    cpus : cores of a job, and its threads.
    memory_mib, minutes : what a job may use; Slurm ends it when it wants more.
    partition : where Slurm runs it; None: its default.
    at_a_time : how many jobs run or wait at the same time.
    """

    cluster: Literal["slurm", "local"] | None
    folder: str
    cpus: PositiveInt
    memory_mib: PositiveInt
    minutes: PositiveInt
    partition: str | None
    at_a_time: PositiveInt
    package = "submitit"

    def threads(self, jobs: int) -> int:
        return self.cpus

    def connect(self) -> None:
        import submitit

        Path(self.folder).mkdir(parents=True, exist_ok=True)
        try:
            self._executor = submitit.AutoExecutor(folder=self.folder, cluster=self.cluster)
        except RuntimeError as error:
            raise ConfigError(f"hydra.launcher.cluster: {self.cluster} cannot be used here ({error})") from error
        self._executor.update_parameters(
            timeout_min=self.minutes, cpus_per_task=self.cpus, mem_gb=self.memory_mib / 1024, name="recexp"
        )
        if self.partition is not None:
            self._executor.update_parameters(slurm_partition=self.partition)

    def room(self) -> int:
        return self.at_a_time

    def submit(self, jobs_as_json: list[str]) -> list[Any]:
        with self._executor.batch():
            return [self._executor.submit(jobs.perform, job) for job in jobs_as_json]

    def wait(self, handles: list[Any]) -> list[Any]:
        time.sleep(0.5)
        return [handle for handle in handles if handle.done()]

    def take(self, handle: Any) -> str:
        from submitit.core.utils import FailedJobError, UncompletedJobError

        try:
            return str(handle.result())
        except (FailedJobError, UncompletedJobError) as error:
            raise Death(f"{error}".strip().splitlines()[0]) from error

    def end(self, handles: list[Any]) -> None:
        for handle in handles:
            handle.cancel()
