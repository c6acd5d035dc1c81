"""Factors of new items by what another dataset knows of them, worked out by hand and by scikit-learn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import recexp
from recexp.algorithms import Capabilities, FitContext
from recexp.algorithms.cold_start.transfer import Transfer
from recexp.algorithms.factors import FactorModel
from recexp.data import Dataset, Interactions
from recexp.errors import DataError, IncompatibleError
from recexp.params import params

RNG = np.random.default_rng(4)
THEIRS, OURS = RNG.random((12, 3)).astype(np.float32), RNG.random((10, 3)).astype(np.float32)


@params
class Given(FactorModel):
    """Vectors that it is told, by the number of items."""

    capabilities = Capabilities(vectors=True)

    def fit(self, train, context=None):
        self.items_ = {12: THEIRS, 10: OURS}[train.n_items]
        return self

    def user_vectors(self, queries):
        return queries.history(values=False) @ self.items_


def rows_of(items: list[int], n: int) -> Interactions:
    codes = np.array(items, np.int32)
    return Interactions(np.arange(len(items), dtype=np.int32), codes, np.ones(len(items), np.float32), len(items), n)


@pytest.fixture
def elsewhere(tmp_path: Path) -> str:
    """Eleven items, called 5 to 15, and another twelfth."""
    path = tmp_path / "elsewhere.csv"
    path.write_text("user_id,item_id\n" + "".join(f"u{n},{n}\n" for n in range(5, 17)))
    return str(path)


def here(ids: list[str]) -> Dataset:
    """Ten items; nobody has the last three."""
    return Dataset("here", rows_of([*range(7)], 10), np.arange(7), np.array(ids, object))


def model(source: str | None, l2: float = 0.5) -> Transfer:
    return Transfer(base=Given(), below=1, source=source, l2=l2)


def test_shared_items_teach_the_map_of_new_ones(elsewhere: str) -> None:
    ids = ["7", "5", "x", "9", "8", "y", "6", "12", "w", "z"]  # of the new, 12 is known there
    found = model(elsewhere).fit(here(ids)).item_vectors()
    shared, place = [0, 1, 3, 4, 6], [2, 0, 4, 3, 1]
    oracle = Ridge(alpha=0.5).fit(THEIRS[place], OURS[shared])
    np.testing.assert_allclose(found[7], oracle.predict(THEIRS[[7]])[0], atol=1e-5)
    np.testing.assert_allclose(found[8:], np.tile(OURS[:7].mean(axis=0), (2, 1)), atol=1e-6)
    np.testing.assert_array_equal(found[:7], OURS[:7])


@params
class Chosen(Given):
    """Lets validation data choose, as BPR does."""

    def fit(self, train, context=None):
        if context.validate:
            assert train.n_items == 10, "validation data have codes of train"
            self.fitted_params_ = {"iterations": 3}
        assert self.fitted_params_ == {"iterations": 3}
        return super().fit(train, context)


def test_the_source_is_learned_as_validation_chose_for_train(elsewhere: str) -> None:
    data = here(["7", "5", "x", "9", "8", "y", "6", "12", "w", "z"])
    wanted = Transfer(base=Chosen(), below=1, source=elsewhere, l2=0.5)
    wanted.fit(data, FitContext(validate=lambda model: 0.5))
    wanted.fit(data, FitContext())


def test_no_shared_item_is_an_error_that_shows_the_ids(elsewhere: str) -> None:
    said = r"^algorithm\.source: .*elsewhere.csv shares no item id with here: the first are 5, 6, 7 and a0, a1, a2$"
    with pytest.raises(DataError, match=said):
        model(elsewhere).fit(here([f"a{n}" for n in range(10)]))


def test_a_source_without_ratings_is_no_source_for_train_with_ratings(elsewhere: str) -> None:
    data = here(["7", "5", "x", "9", "8", "y", "6", "12", "w", "z"])
    rated = replace(data, interactions=replace(data.interactions, explicit=True))
    with pytest.raises(DataError, match=r"^algorithm\.source: .*elsewhere.csv has no column of ratings, and here has"):
        model(elsewhere).fit(rated)


@pytest.mark.parametrize(("source", "said"), [(None, "is missing; name a file"), ("no.csv", "no.csv: no such file")])
def test_a_source_that_is_not_there_is_refused(source: str | None, said: str) -> None:
    with pytest.raises((IncompatibleError, DataError), match=rf"^algorithm\.source: {said}"):
        recexp.make("algorithm=transfer", *([f"algorithm.source={source}"] if source else [])).check()


def test_a_changed_file_is_another_model(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    digests = []
    for rows in ("a,x\nb,y\n", "a,x\nb,z\n"):
        file.write_text("user_id,item_id\n" + rows)
        digests.append(recexp.make("algorithm=transfer", f"algorithm.source={file}").contents())
    assert digests[0].keys() == digests[1].keys() == {"source"} and digests[0] != digests[1]


def test_what_other_users_know_helps(ml100k: Dataset, tmp_path: Path) -> None:
    """Half of the users are the source: it knows what the others have not seen."""
    rows = ml100k.interactions
    theirs = rows.take(rows.users >= 500)
    users, items = ml100k.user_ids[theirs.users], ml100k.item_ids[theirs.items]
    (tmp_path / "half.csv").write_text("user_id,item_id\n" + "".join(f"{u},{i}\n" for u, i in zip(users, items)))
    mine = replace(ml100k, interactions=replace(rows.take(rows.users < 500), explicit=False))
    (split,) = recexp.make("split=cold_items", "split.seed=1").split(mine)
    base = recexp.make("algorithm=als", "algorithm.iterations=5")
    found = {}
    for name, source in (("with", str(tmp_path / "half.csv")), ("without", None)):
        fitted = Transfer(base=base, below=1, source=source, l2=1.0).fit(split.train, FitContext())
        found[name] = auc(fitted.score(split.queries), split)
    assert found["with"] > 0.6 > 0.51 > found["without"], found


def auc(scores: np.ndarray, split) -> float:
    """Return how often a held-out new item is above another new item, over all queries."""
    new = ~split.train.interactions.known_items
    wanted = split.target.toarray()[:, new] > 0
    ranks = scores[:, new].argsort(axis=1).argsort(axis=1)
    n, m = wanted.sum(axis=1), (~wanted).sum(axis=1)
    above = ((ranks * wanted).sum(axis=1) - n * (n - 1) / 2) / (n * m)
    return float(above.mean())
