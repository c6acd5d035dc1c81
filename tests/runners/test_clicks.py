"""Labels along the straight line: predicted, measured, compared; and no lists where the headline needs none."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import ConfigError, IncompatibleError

MODELS = '''
import numpy as np

from recexp.algorithms import Capabilities, Recommender
from recexp.params import params

ASKED = []


@params
class Shares(Recommender):
    """Predicts the share of label 1 of each item, after one look at the held-out part."""

    capabilities = Capabilities(feedback="value", needs=frozenset({"labels"}), predicts=True)
    weight: float

    def fit(self, train, context=None):
        rows = train.interactions
        n = np.bincount(rows.items, minlength=train.n_items) + self.weight
        self.shares_ = ((np.bincount(rows.items, rows.values, train.n_items) + self.weight / 2) / n).astype(np.float32)
        self.validating_ = context.validate is not None
        if self.validating_:
            ASKED.append(context.validate(self))
        self.validating_ = False
        return self

    def score(self, queries):
        if self.validating_:
            raise AssertionError("lists were asked for")
        return np.tile(self.shares_, (len(queries), 1))

    def predict(self, rows, history):
        return self.shares_[rows.items]
'''


@pytest.fixture
def models(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (workplace / "my_shares.py").write_text(MODELS)
    folder = workplace / "conf" / "algorithm"
    folder.mkdir(parents=True)
    (folder / "shares.yaml").write_text("# mine\n_target_: my_shares.Shares\nweight: 1.0\n")
    monkeypatch.syspath_prepend(str(workplace))
    yield workplace / "conf"
    sys.modules.pop("my_shares", None)


def ratings(seed: int = 0) -> Dataset:
    """40 users rate 30 items, which are liked more the higher their number is."""
    rng = np.random.default_rng(seed)
    users, items = np.divmod(rng.permutation(1200)[:900], 30)
    stars = np.clip(np.round(items / 8 + rng.normal(1.8, 1, 900)), 1, 5)
    return Dataset.from_frame(pd.DataFrame({"user_id": users, "item_id": items, "rating": stars}), name="films")


CLICKS = ("filter=clicks", "split=random_rows", "evaluation=clicks", "algorithm=shares")


def test_probabilities_are_measured_and_models_compared_by_them(models: Path) -> None:
    words = ("split.validation_ratio=0.2", *CLICKS, "refit=true")
    good, poor = (
        recexp.run(*words, f"algorithm.weight={weight}", config_dir=str(models), dataset=ratings())
        for weight in (1.0, 300.0)
    )
    assert 0.6 < good.metrics["test/auc"] < 1 and 0 < good.metrics["test/log_loss"] < poor.metrics["test/log_loss"]
    assert 0 <= good.metrics["test/calibration_error"] < poor.metrics["test/calibration_error"] < 1
    low, high = good.intervals["test/auc"]
    assert low < good.metrics["test/auc"] < high and "test/calibration_error" not in good.intervals
    assert sys.modules["my_shares"].ASKED[0] == pytest.approx(good.metrics["validation/auc"], abs=1e-12)
    for metric in ("auc", "gauc", "log_loss"):
        pairs = recexp.compare(metric=f"test/{metric}").pairs()
        apart = good.metrics[f"test/{metric}"] - poor.metrics[f"test/{metric}"]
        assert abs(pairs["difference"].iloc[0]) == pytest.approx(abs(apart), abs=1e-6), "rows count, not users"


def test_data_without_labels_are_told_what_makes_them(models: Path) -> None:
    message = "auc needs labels, and films has none after filtering; filter=clicks makes labels of ratings"
    with pytest.raises(ConfigError, match=message):
        recexp.run("filter=ratings", *CLICKS[1:3], "algorithm=mf", config_dir=str(models), dataset=ratings())


def test_a_model_that_predicts_nothing_is_told_one_that_does(models: Path) -> None:
    message = "metrics of labels need predicted labels; EASE predicts none, algorithm=fm algorithm.task=click does"
    with pytest.raises(IncompatibleError, match=message):
        recexp.run(*CLICKS[:3], "algorithm=ease", config_dir=str(models), dataset=ratings())
    with pytest.raises(IncompatibleError, match=r"Logistic predicts none, algorithm\.task=click does"):
        recexp.run(*CLICKS[:3], "algorithm=logistic", dataset=ratings())
