"""What stands between a model and its lists: rules for what may be listed, and other orders of the best items."""

from recexp.rerankers.base import Allowed, Reranker, Restriction

__all__ = ["Allowed", "Reranker", "Restriction"]
