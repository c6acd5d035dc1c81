"""Print one table of the README: new_users, questions, new_items, transfer, people, friends, or store."""

import itertools
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import recexp
from recexp.algorithms import FitContext, Recommender
from recexp.algorithms.cold_start.questionnaire import Questionnaire
from recexp.data import Dataset, Interactions, Queries, Split
from recexp.environments.electronics.store import ElectronicsStore
from recexp.evidence.evidence import Evidence
from recexp.params import params
from recexp.ranking import Ranking
from recexp.rng import generator
from recexp.runners.episodes import simulate
from recexp.splits.interview import Interview
from recexp.statistics import paired

K = 10
NEW = 4000
"""People of the store who are new."""
SEEDS = (1, 2, 3)
NEW_USERS = {
    "popularity": "popularity",
    "demographic by gender and age": "demographic algorithm.method=groups algorithm.columns=[gender,age]",
    "demographic, ridge": "demographic algorithm.columns=[gender,age,occupation]",
}
NEW_ITEMS = {
    "popularity of the genres": "genre_popularity",
    "random": "random",
    "content_based, genres and year": "content_based algorithm.feature_columns=[genres,year]",
    "feature_to_factors (als), genres": "feature_to_factors algorithm.feature_columns=[genres]",
    "feature_to_factors (als), genres and year": "feature_to_factors algorithm.feature_columns=[genres,year]",
    "feature_to_factors (als), genres, year, title": "feature_to_factors",
    "feature_to_factors (svd), genres, year, title": "feature_to_factors algorithm@algorithm.base=svd",
}
DAMPED = " algorithm.user_damping=5 algorithm.item_damping=5"
SOCIAL = "social algorithm.aggregate=average_baselines" + DAMPED
FRIENDS = {
    "user mean": "bias algorithm.user_damping=0 algorithm.item_damping=1e9",
    "user and item bias": "bias" + DAMPED,
    "social: whom one trusts": SOCIAL,
    "social: and who trusts one": SOCIAL + " algorithm.both_ways=true",
    "social: ways of two links, both ways": SOCIAL + " algorithm.both_ways=true algorithm.depth=2",
}
LISTS = {
    "popularity": "popularity",
    "social: whom one trusts": "social",
    "social: and who trusts one": "social algorithm.both_ways=true",
}


ASKED = {
    f"{name}, {k} questions": f"questionnaire algorithm.choose={choose} algorithm.n_questions={k} algorithm.pool=4000"
    for name, choose in (("random", "random"), ("popularity x spread", "popularity_spread"), ("greedy", "greedy"))
    for k in (5, 10, 20)
}
ADAPTIVE = {
    f"{choose}, {k} questions": f"questionnaire algorithm.choose={choose} algorithm.n_questions={k} algorithm.pool=100"
    for choose in ("popularity", "entropy", "greedy", "tree")
    for k in (5, 10, 20)
}


@params
class Asked(Interview):
    """New users are shown the given items alone, which are then no targets."""

    items: np.ndarray

    def _pool(self, interactions: Interactions, parts: np.ndarray) -> np.ndarray:
        return self.items


def make(words: str) -> Recommender:
    return recexp.make(*f"algorithm={words}".split(), config_dir="experiments/neural")


def data(name: str, filter: str) -> Dataset:
    return recexp.make(f"filter={filter}").apply(recexp.make(f"dataset={name}").load(), seed=0)[0]


def ndcg(model: Recommender, split: Split, catalogue: np.ndarray) -> np.ndarray:
    """Return NDCG@10 of each query, float64 (b,): gains are 1, ties are broken by a seeded permutation."""
    ranking = Ranking.draw(split.train.n_items, catalogue, rng=generator(0, "ties"))
    items, target = model.recommend(split.queries, K, ranking).items, split.target.sign()
    discounts = 1 / np.log2(np.arange(2, K + 2))
    rows = np.repeat(np.arange(len(items)), K)
    hits = (items >= 0) & np.reshape(target[rows, items.ravel()], items.shape).astype(bool)
    ideal = np.cumsum(discounts)[np.minimum(np.diff(target.indptr), K) - 1]
    return hits @ discounts / ideal


def compare(models: Mapping[str, str], dataset: Dataset, split: str, *, new_items: bool) -> None:
    """Print the NDCG@10 of each model on each split, and how far it is above the first on the same users."""
    found = {name: np.full((dataset.n_users, len(SEEDS)), np.nan) for name in models}
    for column, seed in enumerate(SEEDS):
        made = next(iter(recexp.make(f"split={split}", f"split.seed={seed}").split(dataset)))
        known = made.train.interactions.known_items
        for name, words in models.items():
            values = ndcg(make(words).fit(made.train), made, ~known if new_items else np.ones_like(known))
            found[name][made.queries.users, column] = values
    table(found)


def questionnaires(models: Mapping[str, str], dataset: Dataset) -> None:
    """Print as `compare` does, where what any model of a split asks about is no target of any."""
    models = {**NEW_USERS, **models}
    found = {name: np.full((dataset.n_users, len(SEEDS)), np.nan) for name in models}
    for column, seed in enumerate(SEEDS):
        fields = {"seed": seed, "exclude_seen": True, "test_ratio": 0.2, "validation_ratio": 0.0, "pool": 1}
        train = next(iter(Asked(**fields, items=np.arange(1)).split(dataset))).train
        fitted = {
            name: make(words).fit(train, FitContext(rng=generator(seed, "fit"))) for name, words in models.items()
        }
        asked = [np.unique(model.questions()) for model in fitted.values() if isinstance(model, Questionnaire)]
        made = next(iter(Asked(**fields, items=np.unique(np.concatenate(asked))).split(dataset)))
        for name, model in fitted.items():
            model.check_split(made)
            found[name][made.queries.users, column] = ndcg(model, made, np.ones(dataset.n_items, bool))
        print(f"split {seed}: {len(np.unique(np.concatenate(asked)))} items are asked about", flush=True)
    table(found)


def table(found: Mapping[str, np.ndarray]) -> None:
    """Print the means of each split, and how far each model is above the first on the same users."""
    first = found[next(iter(found))]
    print(f"| model | {' | '.join(f'split {seed}' for seed in SEEDS)} | difference to the first | p |")
    for name, values in found.items():
        asked = ~np.isnan(values).all(axis=1)
        differences = np.nanmean(values[asked] - first[asked], axis=1)  # one a user, however often it was asked
        p = paired.permutation(differences[:, None], rng=generator(0, "test"))[0]
        cells = [f"{mean:.4f}" for mean in np.nanmean(values, axis=0)]
        print("|", " | ".join([name, *cells, f"{differences.mean():+.4f}", f"{p:.2g}"]), "|", flush=True)


def transfer() -> None:
    """Print as `compare` does, on the films of MovieLens small that MovieLens 1M has, too."""
    theirs, ours = recexp.make("dataset=movielens_1m").load(), recexp.make("dataset=movielens_small").load()
    shared = np.isin(ours.item_ids, theirs.item_ids)[ours.interactions.items]
    dataset = recexp.make("filter=all_positive").apply(ours.take(shared), seed=0)[0]
    print(f"{dataset.n_items:,} shared films, {len(dataset.interactions):,} of {len(ours.interactions):,} rows")
    with tempfile.TemporaryDirectory() as folder:
        source, rows = Path(folder) / "rows.csv", theirs.interactions
        table = {"user_id": theirs.user_ids[rows.users], "item_id": theirs.item_ids[rows.items]}
        pd.DataFrame(table).to_csv(source, index=False)
        models = {
            "feature_to_factors (als)": "feature_to_factors",
            "random": "random",
            "popularity of the genres": "genre_popularity",
            "content_based, genres and year": "content_based algorithm.feature_columns=[genres,year]",
            "transfer (als)": f"transfer algorithm.source={source}",
            "transfer (svd)": f"transfer algorithm.source={source} algorithm@algorithm.base=svd",
        }
        compare(models, dataset, "cold_items", new_items=True)


def people() -> None:
    """Print how well the others are ranked for new films after 5, 10 and 20 have seen them: the AUC of liking."""
    whole = recexp.make("dataset=movielens_1m").load()
    rows = whole.interactions
    liked = replace(rows, values=(rows.values >= 4).astype(np.float32), explicit=False)
    often = np.flatnonzero(np.bincount(rows.items) >= 100)
    new = generator(0, "films").permutation(often)[:300]
    train = replace(whole, interactions=liked.take(~np.isin(rows.items, new)))
    model = make("active_items algorithm.below=1").fit(train, FitContext(rng=generator(0, "fit")))
    known = train.interactions.known_items
    mean = model.item_vectors()[known].mean(axis=0, dtype=np.float64)
    found: dict[tuple[str, int], list[float]] = {}
    for item in new:
        mine = liked.items == item
        users, wanted = liked.users[mine], liked.values[mine] > 0
        orders = {choose: replace(model, choose=choose) for choose in ("random", "active", "greedy")}
        for order in orders.values():
            vars(order).update(users_=model.users_, n_rows_=model.n_rows_)
        rng = generator(int(item), "people")
        panels = {choose: order.panel(users, 20, rng) for choose, order in orders.items()}
        others = ~np.isin(users, np.concatenate([*panels.values()]))  # the same for all
        truth = wanted[others]
        for (choose, panel), k in itertools.product(panels.items(), (5, 10, 20)):
            asked = np.array([np.flatnonzero(users == user)[0] for user in panel[:k]])
            h = model.learned(users[asked], wanted[asked], mean)
            auc = roc_auc_score(truth, model.users_[users[others]] @ h) if 0 < truth.sum() < len(truth) else np.nan
            found.setdefault((choose, k), []).append(auc)
    print("| shown to | 5 | 10 | 20 |")
    for choose in ("random", "active", "greedy"):
        print("|", " | ".join([choose, *(f"{np.nanmean(found[choose, k]):.4f}" for k in (5, 10, 20))]), "|")
    for other in ("random", "active"):
        for k in (5, 10, 20):
            difference = np.array(found["greedy", k]) - np.array(found[other, k])
            difference = difference[~np.isnan(difference)]
            p = paired.permutation(difference[:, None], rng=generator(0, "test"))[0]
            print(f"greedy less {other}, {k}: {difference.mean():+.4f}, p = {p:.2g}, {len(difference)} films")


class Newcomers(ElectronicsStore):
    """A store in whose log the first `NEW` people have no row yet."""

    @cached_property
    def _dataset(self) -> Dataset:
        known = super()._dataset
        return replace(known, interactions=known.interactions.take(known.interactions.users >= NEW))


def store() -> None:
    """Print what new visitors buy of lists that know their features alone, and what friends tell of taste."""
    for explained in (0.0, 0.5, 1.0):
        fields = recexp.make("environment=electronics", "environment.n_users=20000", "environment.n_visits=160000")
        shop = Newcomers(**{**vars(fields), "explained": explained})
        ridge = {"demographic by gender and age": ["method=groups", "columns=[gender,age]"], "demographic, ridge": []}
        made = {"popularity": recexp.make("policy=greedy_over", "algorithm@policy.algorithm=popularity")}
        for name, values in ridge.items():
            words = (f"policy.algorithm.{value}" for value in values)
            made[name] = recexp.make("policy=greedy_over", "algorithm@policy.algorithm=demographic", *words)
        made = {"random": recexp.make("policy=random"), **made, "truth": recexp.make("policy=truth")}
        print(f"explained={explained:g}: revenue of a visitor, and more than popularity's")
        found = {}
        for name, policy in made.items():
            policy.fit(shop, 1)
            who = np.arange(NEW, dtype=np.int32)
            found[name] = simulate(shop, policy, who, seed=1, block=2000).units()["reward"]
        for name, values in found.items():
            both = {"revenue": values, "more": values - found["popularity"]}
            about = Evidence.of_units("episodes", both, seed=1)
            cells = [
                f"{about.metrics[key]:.3g} ({low:.3g} to {high:.3g})" for key, (low, high) in about.intervals.items()
            ]
            print("|", " | ".join([name, *cells]), "|", flush=True)
    sizes = "dataset=electronics", "dataset.n_users=5000", "dataset.n_visits=100000"
    dataset = recexp.make("filter=implicit").apply(recexp.make(*sizes).load(), seed=0)[0]
    some = "algorithm.feature_columns=[category,brand,price]"
    new_products = {
        "popularity of the category": "genre_popularity algorithm.column=category",
        "random": "random",
        "content_based, category, brand, price": f"content_based {some}",
        "feature_to_factors (als), category, brand, price": f"feature_to_factors {some}",
        "feature_to_factors (als), all columns": "feature_to_factors",
    }
    compare(new_products, dataset, "cold_items", new_items=True)
    for homophily in (0.0, 0.5, 2.0):
        words = (
            "dataset=electronics",
            "dataset.n_users=5000",
            "dataset.n_visits=100000",
            f"dataset.homophily={homophily}",
        )
        dataset = recexp.make("filter=implicit").apply(recexp.make(*words).load(), seed=0)[0]
        print(f"homophily={homophily:g}")
        compare(LISTS, dataset, "cold_users", new_items=False)


def errors(model: Recommender, split: Split) -> np.ndarray:
    """Return predicted less given rating of each test row, float64 (m,)."""
    queries, rows = split.queries, split.test
    at = np.full(split.train.n_users, -1)
    at[queries.users] = np.arange(len(queries))
    asked = at[rows.users]
    history = Queries(rows.users, queries.log, queries.start[asked], queries.stop[asked])
    return model.predict(rows, history).astype(np.float64) - rows.values


def friends() -> None:
    """Print RMSE / MAE (ratings) in five folds, and on users of whom all is held out; then lists for the latter."""
    dataset = data("filmtrust", "ratings")
    linked = np.isin(np.arange(dataset.n_users), dataset.links[:, 0])
    folds = list(recexp.make("split=kfold", "split.seed=1").split(dataset))
    new = [next(iter(recexp.make("split=cold_users", f"split.seed={seed}").split(dataset))) for seed in range(1, 6)]
    groups = ("all", "links", "links, 1-5 ratings", "links, 6 and more", "new: all", "new: links")
    print(f"| model | {' | '.join(groups)} |")
    for name, words in FRIENDS.items():
        cells = dict.fromkeys(groups, np.empty(0))
        for kind, split in [*(("", fold) for fold in folds), *(("new: ", one) for one in new)]:
            wrong, users = errors(make(words).fit(split.train), split), split.test.users
            n = np.bincount(split.train.interactions.users, minlength=dataset.n_users)[users]
            few, with_links = (n > 0) & (n <= 5), linked[users]
            rows = {"all": n >= 0, "links": with_links, "links, 1-5 ratings": with_links & few}
            rows["links, 6 and more"] = with_links & (n > 5)
            for group in rows.keys() & {label.removeprefix(kind) for label in groups if label.startswith(kind)}:
                cells[kind + group] = np.append(cells[kind + group], wrong[rows[group]])
        shown = [f"{np.sqrt(np.mean(e**2)):.4f} / {np.abs(e).mean():.4f} ({len(e):,})" for e in cells.values()]
        print("|", " | ".join([name, *shown]), "|", flush=True)
    compare(LISTS, data("filmtrust", "all_positive"), "cold_users", new_items=False)


def main() -> None:
    """Print the table that the first word names."""
    (what,) = sys.argv[1:]
    if what == "friends":
        friends()
    elif what == "transfer":
        transfer()
    elif what == "people":
        people()
    elif what == "store":
        store()
    elif what == "new_items":
        compare(NEW_ITEMS, data("movielens_1m", "all_positive"), "cold_items", new_items=True)
    elif what == "new_users":
        compare(NEW_USERS, data("movielens_1m", "all_positive"), "cold_users", new_items=False)
    elif what == "questions":
        questionnaires(ASKED, data("movielens_1m", "ratings"))
        questionnaires(ADAPTIVE, data("movielens_1m", "ratings"))
    else:
        raise SystemExit("new_users, questions, new_items, transfer, people, friends or store?")


if __name__ == "__main__":
    main()
