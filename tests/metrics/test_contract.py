"""What every metric in conf/metric keeps, found without being told."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from recexp import make
from recexp.metrics.base import ListMetric
from recexp.testing import check_metric

NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "conf" / "metric").glob("*.yaml"))


def test_the_usual_metrics_are_there():
    assert {
        "precision",
        "recall",
        "recall_capped",
        "f1",
        "ndcg",
        "map",
        "mrr",
        "hit_rate",
        "rmse",
        "mae",
        "auc",
        "gauc",
        "log_loss",
        "calibration_error",
        "gini",
        "novelty",
        "intra_list_diversity",
        "intra_list_diversity_cooccurrence",
        "catalog_coverage",
        "long_tail_coverage",
        "average_popularity",
        "entropy",
        "personalization",
        "serendipity",
        "revenue",
        "margin",
        "conversion",
        "click_through_rate",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_what_every_metric_promises(build, name):
    check_metric(build(name))


@pytest.mark.parametrize("name", NAMES)
def test_yaml_and_class_say_what_it_is(build, name):
    text = (Path(__file__).parents[2] / "conf" / "metric" / f"{name}.yaml").read_text()
    metric = build(name)
    assert text.startswith("# ") and len(text.splitlines()[0]) > 20, "the first line says what it is"
    assert metric.unit in ("list", "run", "row", "impression")
    assert metric.names(name, [5, 10]) == ([name] if metric.unit == "row" else [f"{name}_at_5", f"{name}_at_10"])
    assert len(type(metric).__doc__ or "") > 40 and "Metric(" not in type(metric).__doc__
    with pytest.raises(ValueError, match=r"[Uu]nexpected"):
        type(metric)(**{field.name: getattr(metric, field.name) for field in dataclasses.fields(metric)}, cutof=5)


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(make(f"metric={name}"), ListMetric)])
def test_only_lists_that_are_too_short_have_no_value(build, world, name):
    for k in (1, 2, 5, 10, 12):
        short = np.array([len(ranked[:k]) < 2 for ranked in world.lists])
        assert not np.isnan(build(name).values(world.judged(), k)[~short]).any(), "empty ones, of one item for pairs"
