"""The test is sealed: whoever tunes cannot come by its rows, and with the guard removed these tests see it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import recexp as library
from recexp.config import compose
from recexp.config.experiments import experiment
from recexp.data import Interactions, Split
from recexp.errors import ConfigError
from recexp.params import params
from recexp.runners import offline, sealed
from recexp.splits import TEST, TRAIN, RowSplitter
from recexp.tuning import job

VALIDATED = {
    "random": ["split.validation_ratio=0.2"],
    "random_rows": ["split.validation_ratio=0.2"],
    "leave_last": ["split.validation_n=2"],
    "leave_random": ["split.validation_n=2"],
    "temporal": ["split.validation_ratio=0.2"],
    "temporal_user": ["split.validation_ratio=0.2"],
    "user_holdout": ["split.validation_ratio=0.2"],
    "cold_users": ["split.validation_ratio=0.2"],
    "cold_items": ["split.validation_ratio=0.2"],
}


TRIALS = """
import sys
from recexp import config
from recexp.tuning import job
config.use_config_dirs(["conf"])
(tuning,), _ = job.jobs_of(sys.argv[1:])
objective = tuning.objective()
tuning.run(tuning.study(objective), objective)
"""


def test_a_spy_finds_no_test_row_in_its_process_while_tuned(
    recexp: Callable, shop: Callable, secret: Callable, found: Callable
) -> None:
    words = shop("algorithm=spy", "split.validation_ratio=0.2")
    secret(*words)
    done = recexp("tune", *words, "tuning.trials=1", "tracking.log_model=false", WHOLE_PROCESS="1")
    assert done.returncode == 0, done.stderr
    trial, *ordinary = found()
    assert trial["arrays"] > 10 and trial["validated"], "the search does not look far"
    assert (trial["given"], trial["makers"], trial["process"]) == (0, 0, 0)
    assert [(fit["given"], fit["process"] > 0) for fit in ordinary] == [(0, True)] * 2, "a run holds the test"
    assert [fit["makers"] for fit in ordinary] == [0, 0]


def test_the_spy_finds_them_when_the_guard_is_removed(
    shop: Callable, secret: Callable, found: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shop("algorithm=spy", "split.validation_ratio=0.2")
    secret(*words)
    for name in ("UNSEALED", "WHOLE_PROCESS"):
        monkeypatch.setenv(name, "1")
    subprocess.run([sys.executable, "-c", TRIALS, *words, "tuning.trials=1"], check=True)
    assert found()[0]["given"] > 0
    assert found()[0]["process"] > 0


def test_the_spy_finds_what_could_load_them_in_a_closure(
    shop: Callable, secret: Callable, found: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that closes over the experiment leads to source and splitter, and so to the test."""
    monkeypatch.setenv("LEAKY", "1")
    for owner, name in ((sealed.SealedObjective, "__call__"), (sealed, "seal"), (offline, "seal")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # what the models replace is put back
    words = shop("algorithm=spy", "split.validation_ratio=0.2")
    secret(*words)
    (tuning,), _ = job.jobs_of([*words, "tuning.trials=1"])
    objective = tuning.objective()
    tuning.run(tuning.study(objective), objective)
    assert found()[0]["given"] == 0 and found()[0]["makers"] >= 3


@pytest.mark.parametrize("split", VALIDATED)
def test_no_split_leads_from_validation_to_the_test(
    shop: Callable, secret: Callable, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shop("algorithm=popularity", f"split={split}", *VALIDATED[split])
    x = experiment(compose(words), tags={})
    (outer,) = x["split"].split(x["dataset"].load())
    secrets = {"i": outer.test.timestamps, "f": outer.test.values}

    def leaks(roots: list) -> int:
        arrays = [thing for thing in spy().reached(roots) if isinstance(thing, np.ndarray)]
        assert len(arrays) > 10
        return sum(spy().holds(array, secrets) for array in arrays)

    assert leaks([x.runner.objective(x)]) == 0
    monkeypatch.setattr(sealed, "unsealed", lambda split: split)
    assert leaks([x.runner.objective(x)]) > 0


def spy():
    import mine

    return mine


def test_a_random_target_is_found_by_chance_alone(shop: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of guesses the best on validation is not better on the test than the others; that chosen on the test is."""

    def standing(tuning: job.TuningJob, outer: Split) -> float:
        """How many standard deviations the tuned guess is above the mean of all, on the test."""
        objective = tuning.objective()
        study = tuning.study(objective)
        tuning.run(study, objective)
        on_test = replace(objective, split=outer)
        scores = [on_test(tuning.make({"salt": salt})) for salt in range(8)]
        return (on_test(tuning.make(study.best.params)) - np.mean(scores)) / np.std(scores)

    sealed_ones, others = [], []
    for seed in range(3):
        words = shop("algorithm=guess", f"seed={seed}", "split.validation_ratio=0.2", users=60, items=50, seed=seed)
        (tuning,), _ = job.jobs_of([*words, "tuning.trials=8", "tuning.sampler=random"])
        (outer,) = tuning.experiment["split"].split(tuning.experiment["dataset"].load())
        sealed_ones.append(standing(tuning, outer))
        another = replace(tuning, tuning=replace(tuning.tuning, study=f"unsealed {seed}"))
        with monkeypatch.context() as patch:
            patch.setattr(sealed, "unsealed", lambda split: split)
            others.append(standing(another, outer))
    limit = 1.645 / np.sqrt(3)  # one-sided, 5 %
    assert np.mean(sealed_ones) < limit < np.mean(others)


def test_an_ordinary_run_hands_no_test_row_to_a_model(shop: Callable, secret: Callable, found: Callable) -> None:
    words = shop("algorithm=spy", "split.validation_ratio=0.2")
    secret(*words)
    library.run(*words, config_dir="conf")
    assert [(fit["given"], fit["validated"]) for fit in found()] == [(0, True), (0, False)]


@params
class EveryThird(RowSplitter):
    """Every third row is test."""

    time = "mixed"

    def assign(self, interactions: Interactions, *, rng: np.random.Generator) -> np.ndarray:
        return np.where(np.arange(len(interactions)) % 3, TRAIN, TEST).astype(np.int8)


def test_folds_and_splits_without_validation_are_refused(shop: Callable) -> None:
    for words, message in (
        (["split=kfold", "split.validation_ratio=0.2"], "split: tuning needs one split, but kfold makes folds"),
        (["split.validation_ratio=0.0"], "to tune on; add one: split.validation_ratio=0.1"),
        (["split=leave_last"], "split: leave_last has no validation part to tune on; add one by split.validation_n"),
    ):
        x = experiment(compose(shop("algorithm=popularity", *words)), tags={})
        with pytest.raises(ConfigError, match=message):
            x.runner.objective(x)
    own = replace(x, components={**x.components, "split": EveryThird(seed=1, exclude_seen=True)})
    with pytest.raises(ConfigError, match="EveryThird has no field for it: give it validation_ratio: Fraction, and"):
        x.runner.objective(own)
