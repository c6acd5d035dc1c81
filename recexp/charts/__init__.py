"""Charts as SVG, which need nothing else, neither to be drawn nor to be seen; in colors for all eyes."""

from recexp.charts.bars import bars
from recexp.charts.critical_difference import critical_difference
from recexp.charts.grouped import grouped
from recexp.charts.lines import lines
from recexp.charts.parallel import parallel
from recexp.charts.scatter import Point, scatter
from recexp.charts.svg import Picture, stacked

__all__ = ["Picture", "Point", "bars", "critical_difference", "grouped", "lines", "parallel", "scatter", "stacked"]
