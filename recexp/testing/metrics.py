"""The contract of metrics."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from recexp import threads
from recexp.data import Dataset
from recexp.metrics.base import Answers, Measured, Metric
from recexp.testing.checking import check_kind, equal_arrays, expect, quiet, run_checks
from recexp.testing.example_lists import ExampleLists

CUTOFFS = (1, 2, 5, 10, 12)

Examples = Callable[..., ExampleLists]
"""Called as `ExampleLists`."""


@quiet()
def check_metric(metric: Metric, dataset: Dataset | None = None) -> None:
    """Evaluate random lists and ratings; raise if a metric violates the contract of metrics::

        check_metric(MyMetric(base=2))
        check_metric(MyMetric(base=2), dataset=Dataset.from_frame(frame, items=films))

    Without `dataset` the data have the item columns `genres`, `brand`, `year`, `price` and `margin`, and the user
    column `city`. A metric that reads other columns needs a dataset that has them, with at least 13 items.
    """
    check_kind(metric, Metric)
    least = CUTOFFS[-1] + 1
    enough = dataset is None or (dataset.n_items >= least and len(dataset.interactions) > 0)
    expect(enough, f"dataset must have rows and at least {least} items, as lists are cut at {CUTOFFS}")
    try:
        run_checks(metric, CHECKS, metric, partial(ExampleLists, dataset=dataset, labels="labels" in metric.needs))
    except KeyError as error:
        if dataset is None:
            error.add_note("check_metric tried it on data made here; give others as `dataset` where it reads a column")
        raise


def what_it_says_of_itself_is_known(metric: Metric, examples: Examples) -> None:
    """`unit`, `needs`, `bounds` and `higher_is_better` are valid."""
    data = examples(0).judged().train
    for need in metric.needs - {"relevant", "train"}:
        data.has(need)  # raises where it is nothing that data can have
    known = metric.higher_is_better in (True, False, None)
    expect(known, f"higher_is_better must be True, False or None (it is {metric.higher_is_better!r})")
    low, high = metric.bounds
    expect(low < high, f"bounds must be (lowest, highest) (they are {metric.bounds})")


def results_have_names_and_values(metric: Metric, examples: Examples) -> None:
    """It has one result per name, with float64 values of units and one owner per unit (None: one value per run)."""
    found, names = _measure(metric, examples(0).answers()), metric.names("mine", CUTOFFS)
    expect(len(set(names)) == len(found.values), f"{len(found.values)} results have the names {names}")
    shape = (1,) if found.owners is None else found.owners.shape
    for values in found.values:
        got = f"(got {values.dtype} {values.shape})"
        expect(values.dtype == np.float64 and values.shape == shape, f"values must be float64 {shape} {got}")


def values_are_finite_and_in_bounds(metric: Metric, examples: Examples) -> None:
    """Values are finite, or NaN where undefined, and results lie within `bounds`."""
    low, high = metric.bounds
    for seed in range(3):
        answers = examples(seed).answers()
        for k, values in zip(CUTOFFS, _measured(metric, answers)):
            expect(not np.isinf(values).any(), f"a value at {k} is infinite")
            missing = np.isnan(values)
            may_miss = metric.unit in ("list", "impression") or metric.pooled
            expect(may_miss or not missing.any(), f"at {k} a {metric.unit} has no value (NaN)")
            expect(k == 1 or not missing.all(), f"at {k} no {metric.unit} has a value")
            results = metric.finish(values[~missing].mean(keepdims=True) if metric.pooled else values[~missing])
            off = results[(results < low - 1e-9) | (results > high + 1e-9)]
            expect(not len(off), f"a value at {k} is {off[:1].sum():.4g}, outside of bounds = {metric.bounds}")


def the_order_of_queries_does_not_matter(metric: Metric, examples: Examples) -> None:
    """Units in a different order have the same values and the same mean."""
    for seed in range(3):
        example, order = examples(seed), np.random.default_rng(5).permutation(40)
        first, moved = (_measured(metric, example.answers(given)) for given in (None, order))
        for one, other in zip(first, moved):
            same = one if len(one) == 1 else one[order]
            equal_arrays(other, same, "other values when the lists come in another order", close=True)


def threads_do_not_matter(metric: Metric, examples: Examples) -> None:
    """A different number of threads gives the same bits."""
    found = []
    for count in (1, 3):
        with threads.limit(count):
            found.append(np.concatenate(_measured(metric, examples(7, queries=60, padded=False).answers())))
    equal_arrays(found[0], found[1], "other values with another number of threads")


def what_is_relevant_is_read_only_where_needed(metric: Metric, examples: Examples) -> None:
    """A metric that reads relevance has "relevant" in `needs`."""
    if "relevant" in metric.needs or metric.unit == "row":
        return
    example = examples(0)
    before = np.concatenate(_measured(metric, example.answers()))
    example.relevant = example.relevant[::-1]
    after = np.concatenate(_measured(metric, example.answers()))
    equal_arrays(after, before, 'values depend on what is relevant; say needs = frozenset({"relevant"})')


def better_answers_are_better(metric: Metric, examples: Examples) -> None:
    """Lists of relevant items, and exact ratings, are better than random ones according to `higher_is_better`."""
    if metric.higher_is_better is None or not ("relevant" in metric.needs or metric.unit == "row"):
        return
    example = examples(7, queries=60, padded=False)
    chance = _result(metric, example.answers())
    everything = set(range(example.n_items))
    example.lists = [
        [*sorted(relevant), *sorted(everything - relevant)][: example.length] for relevant in example.relevant
    ]
    example.predicted = example.actual
    best = _result(metric, example.answers())
    negation = "" if metric.higher_is_better else "not "
    better = best > chance if metric.higher_is_better else best < chance
    expect(better, f"the best answers have {best:.4g}, random ones {chance:.4g}, and higher is {negation}better")


CHECKS = (
    what_it_says_of_itself_is_known,
    results_have_names_and_values,
    values_are_finite_and_in_bounds,
    the_order_of_queries_does_not_matter,
    threads_do_not_matter,
    what_is_relevant_is_read_only_where_needed,
    better_answers_are_better,
)


def _measure(metric: Metric, answers: Answers, cutoffs: Sequence[int] = CUTOFFS) -> Measured:
    found = metric.measure(answers, cutoffs)
    if found is None:
        raise AssertionError("measure returned None of answers with lists and ratings")
    return found


def _measured(metric: Metric, answers: Answers, cutoffs: Sequence[int] = CUTOFFS) -> list[np.ndarray]:
    return _measure(metric, answers, cutoffs).values


def _result(metric: Metric, answers: Answers) -> float:
    return float(metric.finish(np.nanmean(_measured(metric, answers, (5,))[0])))
