"""Metrics: named definitions. docs/add_a_metric.md shows how to write one."""

from recexp.metrics.base import JudgedLists, ListMetric, Metric, RatingMetric, RowMetric, RunMetric

__all__ = ["JudgedLists", "ListMetric", "Metric", "RatingMetric", "RowMetric", "RunMetric"]
