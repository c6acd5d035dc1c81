"""Seconds to evaluate ready top-100 lists of ML-1M's 6,040 users at cut-offs 5, 10, 20, 100; see README.md."""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import recexp
from recexp.config import options
from recexp.evaluation.evaluation import Evaluation
from recexp.metrics.base import JudgedLists, ListMetric
from recexp.models.fitted import FittedModel


def seconds(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the median seconds of `repeats` calls after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


if __name__ == "__main__":
    data, _ = recexp.make("filter=all_positive").apply(recexp.make("dataset=movielens_1m").load(), seed=1)
    (split,) = recexp.make("split=random").split(data)
    every = {name: recexp.make(f"metric={name}") for name in options("metric")}
    lists_only = {name: metric for name, metric in every.items() if isinstance(metric, ListMetric)}
    evaluation: Evaluation = replace(recexp.make("evaluation=ranking"), cutoffs=[5, 10, 20, 100], metrics=lists_only)
    ranking = evaluation.ranking(split.train, seed=1)
    model, fallback = (recexp.make(f"algorithm={name}").fit(split.train) for name in ("ease", "popularity"))
    fitted = FittedModel.of(model, fallback, ranking, split.train, exclude_seen=True, block_mib=32)
    lists = fitted.lists(split.queries, 100)

    def measure() -> None:
        judged = JudgedLists.of(lists, split.target, split.queries, split.train, ranking.catalogue)
        for metric in lists_only.values():
            for k in evaluation.cutoffs:
                metric.values(judged, k)

    metrics_alone = seconds(measure)
    whole = seconds(lambda: evaluation.evaluate(split, lists, seed=1))
    sys.stdout.write(f"{len(lists_only)} list metrics at 4 cut-offs: {metrics_alone:.3f} s\n")
    sys.stdout.write(f"with 1,000 resamples and slices: {whole:.3f} s\n")
