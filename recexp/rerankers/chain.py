"""Several rerankers, one after the other."""

from typing import Annotated, Self

from pydantic import Field

from recexp.data import Dataset, Queries
from recexp.params import params
from recexp.ranking import Lists
from recexp.rerankers.base import Allowed, Reranker


@params
class Chain(Reranker):
    """Each part makes its list out of that of the part before it; what one part forbids is in no list.

    Parameters
    ----------
    parts : the rerankers by name, in order.
    """

    parts: Annotated[dict[str, Reranker], Field(min_length=1)]

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # of the class where it depends on no field
        return frozenset().union(*(part.needs for part in self.parts.values()))

    def fit(self, train: Dataset) -> Self:
        for part in self.parts.values():
            part.fit(train)
        return self

    def allowed(self, queries: Queries) -> Allowed | None:
        together = None
        for part in self.parts.values():
            if (rule := part.allowed(queries)) is not None:
                together = rule if together is None else together.both(rule)
        return together

    def depth(self, k: int) -> int:
        return self._depths(k)[0]

    def rerank(self, queries: Queries, candidates: Lists, k: int) -> Lists:
        for part, length in zip(self.parts.values(), self._depths(k)[1:]):
            candidates = part.rerank(queries, candidates, length)
        return candidates

    def _depths(self, k: int) -> list[int]:
        """Return how many items each part is given, and at last the k of the list."""
        lengths = [k]
        for part in reversed(self.parts.values()):
            lengths.append(part.depth(lengths[-1]))
        return lengths[::-1]
