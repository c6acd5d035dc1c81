"""Statistics of a log: how people click, buy and rate in it, by which a simulated store is held against real ones."""

from recexp.log_statistics.kinds import by_kind
from recexp.log_statistics.measuring import measure
from recexp.log_statistics.orders import price_elasticity
from recexp.log_statistics.text import in_words
from recexp.log_statistics.times import busiest_hour

__all__ = ["busiest_hour", "by_kind", "in_words", "measure", "price_elasticity"]
