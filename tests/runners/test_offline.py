"""The straight line with algorithms of one's own: validation, refit, ratings, failure."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from small_store import SMALL

import recexp as library
from recexp import config
from recexp.cost import Costs
from recexp.errors import ConfigError
from recexp.runners.context import RunContext
from recexp.runners.stages import Stages
from recexp.sweeps import jobs

MODELS = '''
import numpy as np

from recexp.algorithms import Capabilities, Recommender
from recexp.params import params

FITS = []


@params
class Tuned(Recommender):
    """Chooses with validation whether popular items are good or bad; a refit must keep the choice."""

    capabilities = Capabilities(needs_history=False)

    def fit(self, train, context=None):
        counts = np.bincount(train.interactions.items, minlength=train.n_items).astype(np.float32)
        if context.validate is not None:
            rated = {}
            for sign in (-1.0, 1.0):
                self.scores_ = sign * counts
                rated[sign] = context.validate(self)
                context.log_step(int(sign) + 2, {"rated": rated[sign]})
            self.fitted_params_ = {"sign": max(rated, key=rated.get)}
        self.scores_ = self.fitted_params_["sign"] * counts
        FITS.append((len(train.interactions), context.validate is not None, self.fitted_params_["sign"]))
        return self

    def score(self, queries):
        return np.tile(self.scores_, (len(queries), 1))


@params
class Means(Recommender):
    """Predicts each item's mean rating."""

    capabilities = Capabilities(feedback="value", needs=frozenset({"ratings"}), predicts=True)

    def fit(self, train, context=None):
        rows = train.interactions
        n = np.bincount(rows.items, minlength=train.n_items)
        mean = rows.values.mean()
        self.means_ = ((np.bincount(rows.items, rows.values, train.n_items) + mean) / (n + 1)).astype(np.float32)
        return self

    def score(self, queries):
        return np.tile(self.means_, (len(queries), 1))

    def predict(self, rows, history):
        return self.means_[rows.items]


@params
class Undefined(Recommender):
    """Scores nothing."""

    def fit(self, train, context=None):
        return self

    def score(self, queries):
        return np.full((len(queries), queries.n_items), np.nan, np.float32)


@params
class Broken(Recommender):
    """Fails."""

    def fit(self, train, context=None):
        raise ValueError("the loss is not a number")

    def score(self, queries):
        return np.zeros((len(queries), 1), np.float32)
'''


@pytest.fixture
def models(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package and a config folder of the user's own."""
    (workplace / "mine.py").write_text(MODELS)
    folder = workplace / "conf" / "algorithm"
    folder.mkdir(parents=True)
    for name in ("Tuned", "Means", "Broken", "Undefined"):
        (folder / f"{name.lower()}.yaml").write_text(f"# mine\n_target_: mine.{name}\n")
    monkeypatch.syspath_prepend(str(workplace))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    yield workplace / "conf"
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("catalogue", ["all", "in_train"])
def test_a_fit_is_told_what_may_be_recommended(catalogue: str) -> None:
    words = (
        *SMALL,
        "dataset.n_products=2000",
        "split=random_rows",
        "algorithm=item_knn",
        f"evaluation.catalogue={catalogue}",
    )
    x = jobs.prepare(config.compose(words), tags={})
    split = next(x["split"].split(x["dataset"].load()))
    stages = Stages.of(x, Costs(), block_mib=32, device="auto", precision="float32")
    model = stages.fit(x["algorithm"], split, RunContext(Costs()), validate=False).model
    known = split.train.interactions.known_items
    assert not known.all()
    expected = known.sum() if catalogue == "in_train" else len(known)
    np.testing.assert_allclose(model.lengths_.sum(), expected, rtol=1e-6)


def test_choice_on_validation_survives_the_refit(models: Path, runs: Callable) -> None:
    library.run(*SMALL, "algorithm=tuned", "split.validation_ratio=0.2", config_dir=str(models))
    import mine

    (small, chose, sign), (large, again, kept) = mine.FITS
    assert (chose, again) == (True, False)
    assert small < large
    assert sign == kept == 1.0
    (run,) = runs()
    assert run.data.metrics["training/rated"] > 0
    judged = [name for name in run.data.metrics if name.startswith("test/")]
    assert judged[0] == "test/ndcg_at_10", "MLflow's compare page plots the first of all metrics"


@pytest.mark.parametrize("metric", ["gini", "ndcg"])
def test_learning_curves_are_of_the_metric_itself(workplace: Path, metric: str) -> None:
    """Gini is better where it is lower, and a model rates itself by what is better where it is higher."""
    from mlflow import MlflowClient

    words = (*SMALL, "algorithm=bpr", "algorithm.iterations=4", "split.validation_ratio=0.2")
    found = library.run(*words, f"evaluation.metrics=[{metric}]")
    client = MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}")
    curve = [point.value for point in client.get_metric_history(found.run_id, "training/validation")]
    choose = min if metric == "gini" else max
    assert choose(curve) == found.metrics[f"validation/{metric}_at_10"] > 0


def test_without_refit_the_first_model_is_tested(models: Path) -> None:
    library.run(*SMALL, "algorithm=tuned", "split.validation_ratio=0.2", "refit=false", config_dir=str(models))
    import mine

    assert len(mine.FITS) == 1


def test_history_of_the_test_without_refit(models: Path) -> None:
    common = (*SMALL, "algorithm=item_knn", "split.validation_ratio=0.2", "refit=false")
    every = library.run(*common)
    train = library.run(*common, "evaluation.history=train")
    assert every.metrics["test/ndcg_at_10"] != train.metrics["test/ndcg_at_10"]
    assert every.metrics["validation/ndcg_at_10"] == train.metrics["validation/ndcg_at_10"]


def test_predicted_ratings_are_measured(models: Path) -> None:
    outcome = library.run(
        *SMALL,
        "dataset.n_users=40",  # who come a hundred times and rate something
        "filter=ratings",
        "split=random_rows",
        "algorithm=means",
        "evaluation.metrics=[rmse,mae,ndcg]",
        config_dir=str(models),
    )
    assert 0.5 < outcome.metrics["test/mae"] < outcome.metrics["test/rmse"] < 2
    low, high = outcome.intervals["test/rmse"]
    assert low < outcome.metrics["test/rmse"] < high


def test_algorithm_that_lacks_what_it_needs_is_refused(models: Path, runs: Callable) -> None:
    with pytest.raises(ConfigError, match="algorithm: Means needs ratings, but electronics has none"):
        library.run(*SMALL, "algorithm=means", config_dir=str(models))
    assert runs() == []


def test_lists_that_hold_nothing_are_warned_of_and_nan_is_refused(
    inside: Callable, models: Path, runs: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = library.run(*SMALL, "split=cold_items", "algorithm=popularity")
    assert outcome.metrics["test/ndcg_at_10"] == 0
    assert "test: ndcg_at_10 is 0 for every query: no list contains a held-out item" in caplog.text
    done = inside("--config-dir", str(models), *SMALL, "algorithm=undefined")
    assert done.returncode == 2
    assert "recexp: mine.Undefined.score gave NaN, which has no place in a list" in done.stderr
    assert len([run for run in runs() if run.info.status == "FINISHED"]) == 1


def test_failure_is_told_and_never_taken_for_a_result(inside: Callable, models: Path, runs: Callable) -> None:
    done = inside("--config-dir", str(models), *SMALL, "algorithm=broken")
    assert done.returncode == 1
    line = MODELS.partition("raise ValueError(")[0].count("\n") + 1
    told = f"recexp: ValueError: the loss is not a number (mine.py, line {line}); debug=true shows the traceback"
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert "recexp.complete" not in run.data.tags


def test_logging_goes_where_the_yaml_says(own_cache: Path, inside: Callable, workplace: Path) -> None:
    done = inside(
        *SMALL,
        "algorithm=popularity",
        "logging.level=warning",
        "+logging.levels.splits=info",
        "logging.file=mine.log",
    )
    assert done.returncode == 0, done.stderr
    text = (workplace / "mine.log").read_text()
    assert "recexp.splits.base: test:" in text
    assert "recexp.filters.base" not in text
