"""StoredRun: a run as a store has it."""

from dataclasses import dataclass

from recexp.metric_names import is_final
from recexp.tracking.tags import COMPLETE, FINAL, SETTING, SUBJECT, UNIT


@dataclass(frozen=True)
class StoredRun:
    """A run as a store has it; `Archive.file` returns its files.

    Attributes
    ----------
    id, name : of the run.
    experiment : the id of the experiment it belongs to.
    started : when it began, in milliseconds since 1970 UTC.
    status : FINISHED, FAILED, KILLED or RUNNING.
    tags, params, metrics : by full name, the newest value of each metric.
    files : the address of its files.
    """

    id: str
    name: str
    experiment: str
    started: int
    status: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    files: str

    @property
    def final(self) -> str:
        """The part whose metrics count."""
        return self.tags.get(FINAL, "test")

    @property
    def unit(self) -> str:
        """The unit of the values behind its final metrics, such as `user`."""
        return self.tags.get(UNIT, "user")

    @property
    def subject(self) -> list[str]:
        """The names of the components that a comparison is about, the first of which names the run."""
        return self.tags.get(SUBJECT, "algorithm fallback").split()

    @property
    def setting(self) -> str:
        """The name of what the subject works on, as chosen: a dataset, an environment."""
        return self.params.get(f"{self._setting}.name") or self.tags.get(self._setting, "")

    @property
    def _setting(self) -> str:
        return self.tags.get(SETTING, "dataset")

    @property
    def final_metrics(self) -> set[str]:
        """The names of its metrics of the final part."""
        return {name for name in self.metrics if is_final(name, self.final)}

    @property
    def complete(self) -> bool:
        """Whether the run finished and everything was stored; the numbers of other runs must not be used."""
        return self.status == "FINISHED" and self.tags.get(COMPLETE) == "true"
