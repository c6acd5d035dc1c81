"""What every metric in conf/metric keeps, found without being told."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from recexp import make
from recexp.metrics.base import ListMetric, Metric, RatingMetric, RunMetric

NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "conf" / "metric").glob("*.yaml"))
PADDED = [0, 4, 10]


def test_the_mission_s_metrics_are_there():
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
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_yaml_and_class_say_what_it_is(build, world, name):
    text = (Path(__file__).parents[2] / "conf" / "metric" / f"{name}.yaml").read_text()
    metric = build(name)
    assert text.startswith("# ") and len(text.splitlines()[0]) > 20, "the first line says what it is"
    assert isinstance(metric, Metric) and metric.unit in ("list", "run", "row")
    assert metric.names(name, [5, 10]) == ([name] if metric.unit == "row" else [f"{name}_at_5", f"{name}_at_10"])
    assert len(type(metric).__doc__ or "") > 40 and "Metric(" not in type(metric).__doc__
    for need in metric.needs - {"relevant", "train"}:
        world.judged().train.has(need)  # raises where it is nothing that data can have
    assert metric.higher_is_better in (True, False, None)
    with pytest.raises(ValueError, match=r"[Uu]nexpected"):
        type(metric)(**{field.name: getattr(metric, field.name) for field in dataclasses.fields(metric)}, cutof=5)


def _value(metric, world, order=None, k=5) -> float:
    if isinstance(metric, RatingMetric):
        rng = np.random.default_rng(3)
        rows = np.argsort(order) if order is not None else np.arange(40)
        return metric(rng.normal(3, 1, 40)[rows], rng.normal(3, 1, 40)[rows])
    if isinstance(metric, RunMetric):
        return metric.value(world.judged(order), k)
    return float(np.nanmean(metric.values(world.judged(order), k)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 2, 5, 10, 12])
def test_values_are_finite_and_in_bounds(build, world, name, k):
    metric = build(name)
    low, high = metric.bounds
    if isinstance(metric, ListMetric):
        values = metric.values(world.judged(), k)
        assert values.shape == (len(world.lists),) and values.dtype == np.float64
        short = np.array([len(ranked[:k]) < 2 for ranked in world.lists])
        assert not np.isnan(values[~short]).any(), "only empty lists, or of one item for pairs, may have no value"
        values = values[~np.isnan(values)]
    else:
        values = np.array([_value(metric, world, k=k)])
        assert np.isfinite(values).all()
    assert (values >= low - 1e-9).all() and (values <= high + 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_queries_does_not_matter(build, world, name):
    metric, order = build(name), np.random.default_rng(5).permutation(40)
    assert _value(metric, world, order) == pytest.approx(_value(metric, world), abs=1e-12)
    if isinstance(metric, ListMetric):
        moved, first = metric.values(world.judged(order), 5), metric.values(world.judged(), 5)
        np.testing.assert_allclose(moved, first[order], atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_values_do_not_depend_on_threads(build, full_world, name):
    from recexp import threads

    metric = build(name)
    with threads.limit(1):
        one = _value(metric, full_world)
    with threads.limit(3):
        assert _value(metric, full_world) == one


def _named(*kinds: type, relevant: bool) -> list[str]:
    """Return the metrics of these kinds that say that they read what is relevant, or that they do not."""
    found = {name: make(f"metric={name}") for name in NAMES}
    found = {name: metric for name, metric in found.items() if isinstance(metric, kinds)}
    return [name for name, metric in found.items() if ("relevant" in metric.needs) == relevant]


@pytest.mark.parametrize("name", _named(ListMetric, RunMetric, relevant=False))
def test_what_is_relevant_is_read_only_where_needs_names_it(build, world, name):
    metric, before = build(name), _value(build(name), world)
    world.relevant = world.relevant[::-1]
    assert _value(metric, world) == before


@pytest.mark.parametrize("name", _named(ListMetric, RunMetric, relevant=True))
def test_lists_of_what_is_relevant_are_better_than_random_ones(build, full_world, name):
    metric = build(name)
    chance = _value(metric, full_world)
    everything = range(full_world.n_items)
    full_world.lists = [
        sorted(everything, key=lambda item, wanted=wanted: item not in wanted)[: full_world.length]
        for wanted in full_world.relevant
    ]
    best = _value(metric, full_world)
    assert metric.higher_is_better is None or (best > chance if metric.higher_is_better else best < chance)
