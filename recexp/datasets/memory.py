"""Data that are in memory already, as from Python: `Dataset.from_frame(df)`."""

from pathlib import Path

from pydantic import InstanceOf

from recexp.data import Dataset
from recexp.datasets.base import Source
from recexp.params import params


@params
class Memory(Source):
    """A dataset that is in memory; made in Python alone, as no yaml can hold one.

    Its content identifies it, so that a run of it has the fingerprints of any other of equal data, and what was
    prepared of it is found again::

        source = Memory.of(Dataset.from_frame(df, name="clicks"))

    Parameters
    ----------
    dataset : the dataset.
    """

    dataset: InstanceOf[Dataset]

    @classmethod
    def of(cls, dataset: Dataset) -> "Memory":
        """Return the source of a dataset, under its own name."""
        size = f"{len(dataset.interactions):,} interactions, {dataset.n_users:,} users, {dataset.n_items:,} items"
        return cls(name=dataset.name, terms="your own", size=size, dataset=dataset)

    def check(self) -> None:
        """Nothing can be missing."""

    def load(self) -> Dataset:
        return self.dataset

    def files(self) -> dict[str, Path]:
        return {}

    def beside(self) -> dict[str, str]:
        listed = {"listed": self.dataset.listed, "listed_users": self.dataset.listed_users}
        return {name: those.fingerprint for name, those in listed.items() if those is not None}

    def origin(self) -> str:
        return "memory"
