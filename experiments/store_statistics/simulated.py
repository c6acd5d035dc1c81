"""The simulated store's log, and what only its truth tells."""

import numpy as np

import recexp
from recexp.data import Dataset
from recexp.environments.electronics.calendar import DEVICES
from recexp.environments.electronics.liking import liking, stars
from recexp.environments.electronics.tables import SCRATCH
from recexp.environments.electronics.world import Log, World
from recexp.kernels import jit
from recexp.log_statistics import busiest_hour, by_kind, measure, price_elasticity

LEAST = 5
"""Clicks of an item in the real sets, which their makers filtered."""
DENSE = ("dataset.n_users=40000", "dataset.n_products=20", "dataset.n_visits=1400000")
"""A store that sells dozens of an item a week: where most weeks sell one or none, logarithms hide what prices do."""
FIELDS = ("n_users", "n_products", "n_visits", "explained", "homophily", "noise", "concentration", "eta", "seed")
"""Of the world that the dataset is simulated from."""


def statistics(seed: int) -> dict[str, float]:
    """Return all statistics of the store of a seed."""
    source = recexp.make("dataset=electronics", f"dataset.seed={seed}")
    data = source.load()
    views = by_kind(data)["view"].interactions
    often = np.bincount(views.items, minlength=views.n_items) >= LEAST
    data = data.take(often[data.interactions.items])
    devices = views.context["device"].values
    hours = [busiest_hour(views.take(devices == device)) for device in range(len(DEVICES))]
    store = World(**{name: getattr(source, name) for name in FIELDS})
    log = store.log()
    return {
        **measure(data),
        "busiest_hour": min(hours),
        **elasticities(seed),
        "rating_gap": float(np.nanmean(log.values) - random_ratings(store, 100_000).mean()),
        "place_exponent": place_exponent(log),
        "ease_over_popularity": ndcg(data, "ease") / ndcg(data, "popularity"),
    }


def elasticities(seed: int) -> dict[str, float]:
    """Return how quantity follows price, of all people and by segment."""
    bought = by_kind(recexp.make("dataset=electronics", f"dataset.seed={seed}", *DENSE).load())["purchase"]
    found = {"price_elasticity": price_elasticity(bought)}
    segment = bought.users["segment"]
    codes = segment.values[bought.interactions.users]
    return found | {
        f"price_elasticity_{name}": price_elasticity(bought.take(codes == code))
        for code, name in enumerate(segment.categories)
    }


def place_exponent(log: Log) -> float:
    """Return the power by which the chance of a click falls with the place on a page."""
    shown = log.places >= 0
    chance = np.bincount(log.places[shown], log.clicks[shown]) / np.bincount(log.places[shown])
    return -float(np.polyfit(np.log(np.arange(1, len(chance) + 1)), np.log(chance), 1)[0])


def random_ratings(store: World, n: int) -> np.ndarray:
    """Return what n random people would rate random products, at random times."""
    rng = np.random.default_rng(store.seed)
    drawn = [rng.integers(size, size=n) for size in (store.n_users, store.n_products, 12, 24, len(DEVICES))]
    scratch, out = np.zeros(1, SCRATCH), np.empty(n)
    scratch["state"] = store.seed
    rate(store.tables, *drawn, scratch, out)
    return out


@jit
def rate(t, users, items, months, hours, devices, scratch, out):
    """Fill `out` with ratings."""
    for row in range(len(out)):
        user, item = users[row], items[row]
        liked = liking(t, user, item, months[row], hours[row], devices[row])
        out[row] = stars(scratch[0], t.items[item].quality, liked)


def ndcg(data: Dataset, algorithm: str) -> float:
    """Return NDCG@10 of viewed products, a fifth of each person's held out."""
    words = ("filter=implicit", "split=random", "seed=1", "tracking.log_model=false", "logging.level=error")
    outcome = recexp.run(f"algorithm={algorithm}", *words, dataset=by_kind(data)["view"])
    return outcome.metrics["test/ndcg_at_10"]
