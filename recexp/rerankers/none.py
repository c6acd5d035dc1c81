"""No reranker."""

from typing import ClassVar

from recexp.data import Queries
from recexp.params import params
from recexp.ranking import Lists
from recexp.rerankers.base import Reranker


@params
class NoReranker(Reranker):
    """Lists are those of the model."""

    neutral: ClassVar[bool] = True

    def rerank(self, queries: Queries, candidates: Lists, k: int) -> Lists:
        return candidates.cut(k)
