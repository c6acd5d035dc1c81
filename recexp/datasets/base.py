"""Source: where a dataset comes from."""

from abc import ABC, abstractmethod
from pathlib import Path

from recexp.data import Dataset
from recexp.params import params


@params
class Source(ABC):
    """Loads one dataset. A subclass is decorated with `@params` and implements `check` and `load`.

    What is in a DataFrame becomes a dataset by `Dataset.from_frame(frame, name=self.name)`.

    Parameters
    ----------
    name : what the dataset is called in results.
    terms : under which terms it may be used, in a sentence.
    size : how large it is, in words ("100,000 ratings, 943 users, 1,682 items").
    """

    name: str
    terms: str
    size: str

    @abstractmethod
    def check(self) -> None:
        """Raise DataError when it is clear without loading that `load` cannot succeed (a named file is missing)."""

    @abstractmethod
    def load(self) -> Dataset:
        """Read the data, downloading it first where it must come from elsewhere."""

    def lacks(self) -> frozenset[str]:
        """Return what the data will not have, whatever the files hold, in the words of `Dataset.has`."""
        return frozenset()

    def files(self) -> dict[str, Path] | None:
        """Return the files that `load` reads, by what they are for; {} where the parameters alone make the data.

        What was loaded from equal files with equal parameters is taken from disk the next time. None: it is not known
        which files, or they are not here yet; then the data is loaded each time.
        """
        return None

    def beside(self) -> dict[str, str]:
        """Return digests of what `load` gives that neither files nor described parameters tell; {}: nothing."""
        return {}

    def location(self) -> Path | None:
        """Return where the files lie now; None when they are not on this machine yet, or need none."""
        return None

    def origin(self) -> str:
        """Return where the data come from, as a run says it: the path of their files, else the dataset's name."""
        return str(self.location() or self.name)
