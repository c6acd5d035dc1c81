"""The types that everything shares: Column, Interactions, Dataset, Listed, Queries, Split."""

from recexp.data.column import Column
from recexp.data.dataset import Dataset
from recexp.data.interactions import Interactions
from recexp.data.listed import Listed
from recexp.data.queries import Queries
from recexp.data.split import Split

__all__ = ["Column", "Dataset", "Interactions", "Listed", "Queries", "Split"]
