"""Do offline metrics find the algorithm that sells most? Metrics on a log against revenue in the store that wrote it.

    python experiments/store_offline/store_offline.py

prints the tables of the README beside it. A test runs a small instance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

import recexp
from recexp.algorithms.fit_context import FitContext
from recexp.environments import Environment
from recexp.models.fitted import FittedModel
from recexp.rng import generator
from recexp.runners.episodes import simulate

ALGORITHMS = (
    *("random", "popularity", "demographic", "content_based", "item_knn", "user_knn"),
    *("ease", "slim", "als", "bpr", "svd", "p3alpha"),
)
METRICS = (
    *("ndcg", "recall", "precision", "map", "mrr", "hit_rate", "conversion", "revenue", "margin"),
    *("novelty", "intra_list_diversity", "catalog_coverage"),
)
SIZES: dict[str, object] = {"n_users": 12_000, "n_products": 1000, "n_visits": 200_000}
K, RESAMPLES = 10, 1000


@dataclass(frozen=True)
class Values:
    """What was found of each of a algorithms.

    Attributes
    ----------
    names : of the algorithms.
    sold : float64 (v, a), revenue of each simulated visitor.
    offline : float64 (u, a) by metric, its value for each user of the log; (1, a) of metrics of all lists together.
    """

    names: tuple[str, ...]
    sold: np.ndarray
    offline: Mapping[str, np.ndarray]


def store(**fields: object) -> Environment:
    """Return the store, which counts revenue, with some of its values changed."""
    environment = recexp.make("environment=electronics", *(f"environment.{name}={v}" for name, v in fields.items()))
    environment.check()
    return environment


def measure(shop: Environment, names: Sequence[str], metrics: Sequence[str], visitors: int) -> Values:
    """Return what algorithms sell when they learned from the whole log, and their metrics on its last fifth."""
    who = np.sort(np.random.default_rng(1).choice(shop.n_visitors, visitors, replace=False)).astype(np.int32)
    sold, results = [], []
    for name in names:
        policy = recexp.make("policy=greedy_over", f"algorithm@policy.algorithm={name}")
        policy.fit(shop, 1)
        sold.append(simulate(shop, policy, who, seed=1, block=2000).units()["reward"])
        results.append(on_log(shop, name, metrics))
    offline = {metric: np.stack([one[metric] for one in results], axis=1) for metric in metrics}
    return Values(tuple(names), np.stack(sold, axis=1), offline)


def on_log(shop: Environment, name: str, metrics: Sequence[str]) -> dict[str, np.ndarray]:
    """Return metrics of an algorithm that learned from four fifths of the log, by user, or (1,) of all together."""
    evaluation = recexp.make(
        "evaluation=ranking", f"evaluation.metrics=[{','.join(metrics)}]", f"evaluation.cutoffs=[{K}]"
    )
    split = evaluation.applied(next(recexp.make("split=temporal", "seed=1").split(shop.dataset())))
    algorithm, fallback = (
        recexp.make(f"algorithm={one}").fit(split.train, FitContext(rng=generator(1, stream)))
        for one, stream in ((name, "fit"), ("popularity", "fallback"))
    )
    ranking = evaluation.ranking(split.train, 1)
    model = FittedModel.of(algorithm, fallback, ranking, split.train, exclude_seen=True, block_mib=64)
    found = evaluation.evaluate(split, model.lists(split.queries, K), seed=1)
    of_all = {metric: np.array([found.metrics[f"{metric}_at_{K}"]]) for metric in metrics}
    return of_all | {
        metric: found.per_query[key] for metric in metrics if (key := f"{metric}_at_{K}") in found.per_query
    }


def tau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Kendall's tau (1938) of two rankings of a algorithms in each row, (r, a): pairs in order less others."""
    first, second = np.array([*combinations(range(x.shape[1]), 2)]).T
    return (np.sign(x[:, first] - x[:, second]) * np.sign(y[:, first] - y[:, second])).mean(axis=1)


def resampled(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return float64 (resamples, a): means of (n, a) values over rows that are drawn with replacement."""
    counts = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), resamples)
    return counts @ np.nan_to_num(values) / (counts @ np.isfinite(values))


def agreement(found: Values, resamples: int = RESAMPLES) -> dict[str, tuple[float, float, float]]:
    """Return Kendall's tau of each metric and revenue, with a 95 % interval over users and visitors."""
    rng = np.random.default_rng(1)
    sold, mean = resampled(found.sold, resamples, rng), found.sold.mean(axis=0)[None]
    taus = {}
    for metric, values in found.offline.items():
        drawn = tau(resampled(values, resamples, rng), sold)
        low, high = np.quantile(drawn, (0.025, 0.975))
        taus[metric] = (float(tau(np.nanmean(values, axis=0)[None], mean)[0]), float(low), float(high))
    return taus


def picked(found: Values, metric: str) -> str:
    """Return the algorithm that a metric says is best."""
    return found.names[int(np.nanmean(found.offline[metric], axis=0).argmax())]


def main() -> None:
    found = measure(store(**SIZES), ALGORITHMS, METRICS, 10_000)
    sold, rng = found.sold.mean(axis=0), np.random.default_rng(2)
    bounds = np.quantile(resampled(found.sold, RESAMPLES, rng), (0.025, 0.975), axis=0)
    print(f"| algorithm | revenue a visitor | {' | '.join(METRICS)} |\n| --- |{' ---: |' * (1 + len(METRICS))}")
    for place in np.argsort(-sold):
        cells = [f"{np.nanmean(found.offline[metric][:, place]):.4g}" for metric in METRICS]
        revenue = f"{sold[place]:.1f} ({bounds[0, place]:.1f} to {bounds[1, place]:.1f})"
        print(f"| {found.names[place]} | {revenue} | {' | '.join(cells)} |")
    print(
        "\n| metric | Kendall's tau with revenue | it picks | which sells, of the best |\n| --- | ---: | --- | ---: |"
    )
    for metric, (value, low, high) in sorted(agreement(found).items(), key=lambda item: -item[1][0]):
        best = picked(found, metric)
        share = sold[found.names.index(best)] / sold.max()
        print(f"| {metric} | {value:.2f} ({low:.2f} to {high:.2f}) | {best} | {share:.0%} |")


if __name__ == "__main__":
    main()
