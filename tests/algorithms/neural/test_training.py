"""The training loop: validation, epochs, randomness, checkpoints."""

import copy
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import recexp
from recexp.algorithms import FitContext, Recommender
from recexp.algorithms.neural import checkpoint, devices, training
from recexp.data import Dataset
from recexp.errors import ConfigError

NAMES = ["neumf", "multvae", "recvae", "lightgcn", "autorec", "two_tower", "deepfm"]


SMALL = {"multvae": ["algorithm.hidden=[16]"], "recvae": ["algorithm.hidden=16"], "autorec": ["algorithm.hidden=16"]}


def make(name: str, *more: str) -> Recommender:
    words = ["algorithm.epochs=6", "algorithm.batch_size=64", *SMALL.get(name, ())]
    return recexp.make(f"algorithm={name}", *words, *more)


def context(**more) -> FitContext:
    return FitContext(rng=np.random.default_rng(3), **more)


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_epochs_are_chosen_by_validation_and_used_by_the_next_fit(store: Dataset) -> None:
    values, points = iter([0.1, 0.4, 0.2, 0.3, 0.35, 0.9]), []
    model = make("gmf", "algorithm.patience=3")
    model.fit(store, context(validate=lambda _: next(values), log_step=lambda *point: points.append(point)))
    assert [step for step, _ in points] == [1, 2, 3, 4, 5], "three ratings without gain"
    assert [point["validation"] for _, point in points] == [0.1, 0.4, 0.2, 0.3, 0.35]
    assert model.fitted_params_ == {"epochs": 2}
    best, points[:] = model.weights_, []
    model.fit(store, context(log_step=lambda *point: points.append(point)))
    assert len(points) == 2
    assert equal(model.weights_, best), "the best weights are those of two epochs"


def test_validation_is_asked_as_often_as_it_is_told(store: Dataset) -> None:
    asked = []
    make("gmf", "algorithm.validate_every=4").fit(store, context(validate=lambda model: asked.append(model) or 1.0))
    assert len(asked) == 2, "after the fourth, and after the last epoch"


def test_validation_changes_nothing_but_the_choice(store: Dataset) -> None:
    rising = iter(range(6))
    one = make("multvae").fit(store, context(validate=lambda _: float(next(rising))))
    assert equal(one.weights_, make("multvae").fit(store, context()).weights_)


@pytest.mark.parametrize("name", NAMES)
def test_global_state_of_pytorch_is_left_alone(name: str, store: Dataset) -> None:
    torch.manual_seed(17)
    before, threads, dtype = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()
    make(name).fit(store, context(threads=1))
    assert torch.equal(torch.get_rng_state(), before)
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, dtype)


class Killed(BaseException):
    """Stands for a signal that ends the process."""


@pytest.mark.parametrize("name", NAMES)
def test_an_interrupted_training_goes_on_as_if_it_had_not_been(
    name: str, store: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "recexp")
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    rated = {}

    def curve(points: dict, last: int):
        def log_step(step: int, values: dict) -> None:
            points[step] = values
            if step == last:
                raise Killed

        return log_step

    def run(folder: Path | None, last: int, points: dict) -> Recommender:
        def validate(model: Recommender) -> float:
            """Fall after the third of the epochs, whichever process asks."""
            return rated.setdefault(len(points), -abs(len(points) - 2.0))

        return make(name).fit(store, context(checkpoint=folder, log_step=curve(points, last), validate=validate))

    whole, points = {}, {}
    expected = run(None, -1, whole)
    for last in (2, 5):
        points.clear()
        with pytest.raises(Killed):
            run(tmp_path / "run", last, points)
    points.clear()
    resumed = run(tmp_path / "run", -1, points)
    assert equal(resumed.weights_, expected.weights_)
    assert resumed.fitted_params_ == expected.fitted_params_
    assert points == whole, "the whole curve"
    continued = [record.message for record in caplog.records if "continues" in record.message]
    epochs = make(name).epochs
    assert continued == [f"training continues after epoch {n} of {epochs}, which was saved before" for n in (1, 4)]


def test_a_finished_part_of_a_run_is_not_trained_again(
    store: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make("gmf").fit(store, context(checkpoint=tmp_path))
    monkeypatch.setattr(training._Training, "_epoch", lambda *_: pytest.fail("an epoch was trained"))
    assert equal(make("gmf").fit(store, context(checkpoint=tmp_path)).weights_, one.weights_)


def test_a_young_training_is_saved_ever_less_often(
    store: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the first minute keeps the first epoch at least, and half of all of them."""
    now, saved = [100.0], []
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoint.os, "replace", lambda *_: saved.append(now[0] - 100.0))

    def log_step(epoch: int, _: dict) -> None:
        now[0] += 10.0
        if epoch == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make("gmf", "algorithm.epochs=40").fit(store, context(checkpoint=tmp_path, log_step=log_step))
    assert saved == [10.0, 20.0, 40.0, 80.0, 140.0, 200.0, 260.0]


def rewrite(file: Path, **changed: np.ndarray) -> None:
    """Replace some arrays of an archive."""
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(file, allow_pickle=False, **{**arrays, **changed})


@pytest.mark.parametrize("damage", ["cut", "other", "text", "empty", "generator", "optimizer"])
def test_a_damaged_checkpoint_is_told_and_passed_over(
    damage: str, store: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = make("gmf").fit(store, context(checkpoint=tmp_path))
    file = tmp_path / "training.npz"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:1000])
    elif damage == "text":
        file.write_text("no archive")
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "generator":
        rewrite(file, generator=np.zeros(16, np.uint8))
    elif damage == "optimizer":
        rewrite(file, **{"optimizer/0/0/exp_avg": np.zeros((3, 3), np.float32)})
    else:
        make("gmf", "algorithm.factors=3").fit(store, context(checkpoint=tmp_path / "other"))
        (tmp_path / "other" / "training.npz").replace(file)
    assert equal(make("gmf").fit(store, context(checkpoint=tmp_path)).weights_, one.weights_)
    assert "starts from scratch" in caplog.text and str(file) in caplog.text


@pytest.mark.parametrize("other", ["learning_rate", "data", "seed", "precision", "threads", "torch"])
def test_the_checkpoint_of_another_training_is_not_taken(
    other: str, store: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(devices, "FEW", 0)  # threads count in small networks, too
    one = {"words": (), "data": store, "rng": np.random.default_rng(3), "precision": "float32", "threads": 1}
    two = {
        "learning_rate": {"words": ("algorithm.learning_rate=0.02",)},
        "data": {"data": store.take(np.arange(0, len(store.interactions), 2))},
        "seed": {"rng": np.random.default_rng(4)},
        "precision": {"precision": "bfloat16"},
        "threads": {"threads": 2},
        "torch": {},
    }[other]

    def fit(folder: Path | None, words: tuple[str, ...], data: Dataset, **more) -> dict[str, np.ndarray]:
        model = recexp.make("algorithm=gmf", "algorithm.epochs=2", "algorithm.batch_size=10000", *words)
        return model.fit(data, FitContext(**copy.deepcopy(more), checkpoint=folder)).weights_

    fit(tmp_path, **one)
    if other == "torch":
        monkeypatch.setattr(torch, "__version__", "99.0")
    assert equal(fit(tmp_path, **{**one, **two}), fit(None, **{**one, **two}))
    assert f"differs in: {'model' if other == 'learning_rate' else other}\n" in caplog.text


def test_a_full_disk_costs_the_checkpoint_alone(
    store: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        one = make("gmf").fit(store, context(checkpoint=tmp_path / "run"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert equal(one.weights_, make("gmf").fit(store, context()).weights_)
    assert caplog.text.count("could not be saved; training continues") == 6, "epochs"
    assert not list((tmp_path / "run").iterdir())


def test_training_ends_at_the_deadline(store: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    points = []
    make("gmf").fit(store, context(deadline=0.0, log_step=lambda *point: points.append(point)))
    assert len(points) == 1
    model = make("gmf", "algorithm.validate_every=4").fit(store, context(deadline=0.0, validate=lambda _: 1.0))
    assert model.fitted_params_ == {"epochs": 1}, "a later fit takes no longer"


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_near_the_whole(name: str, store: Dataset) -> None:
    losses, weights = {"float32": [], "bfloat16": []}, {}
    for precision, found in losses.items():
        logged = context(precision=precision, log_step=lambda _, values, found=found: found.append(values["loss"]))
        weights[precision] = make(name).fit(store, logged).weights_
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.01)
    assert all(array.dtype == np.float32 for array in weights["bfloat16"].values())
    assert name == "lightgcn" or not equal(*weights.values()), "sparse products have no half precision"


def test_a_gradient_is_shortened(store: Dataset) -> None:
    free, bound = (make("mlp", f"algorithm.clip_norm={norm}").fit(store, context()) for norm in ("null", "1e-12"))
    start = make("mlp", "algorithm.epochs=1", "algorithm.learning_rate=1e-30").fit(store, context())
    moved = [abs(model.weights_["output.weight"] - start.weights_["output.weight"]).max() for model in (free, bound)]
    assert moved[1] < moved[0] / 10


def test_a_rate_too_large_names_the_key(store: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"^algorithm\.learning_rate: 1e\+30 is too large here: the loss of epoch"):
        make("mlp", "algorithm.learning_rate=1e30").fit(store, context())


@pytest.mark.parametrize(
    "words, message",
    [
        (("algorithm=neumf", "algorithm.layers=[7,4]"), r"^algorithm\.layers: .*must be even"),
        (("algorithm=mlp", "algorithm.layers=[]"), r"^algorithm\.layers: "),
        (("algorithm=multvae", "algorithm.hidden=[]"), r"^algorithm\.hidden: "),
        (("algorithm=recvae", "algorithm.dropout=1.0"), r"^algorithm\.dropout: "),
        (("algorithm=two_tower", "algorithm.batch_size=1"), r"^algorithm\.batch_size: .*greater than or equal to 2"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_built(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recexp.make(*words)


def test_a_device_that_is_not_there_is_told_before_data_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("recexp.datasets.base.Source.load", lambda _: pytest.fail("data were read"))
    with pytest.raises(ConfigError, match=r"^runner\.device: cuda is not available"):
        recexp.run("algorithm=gmf", "runner.device=cuda")


def test_a_batch_may_be_larger_than_the_data(store: Dataset) -> None:
    assert np.isfinite(make("neumf", "algorithm.batch_size=1000000").fit(store).weights_["users.weight"]).all()


def test_two_towers_without_features_say_so_once(store: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    make("two_tower").fit(replace(store, users={}, items={}), context())
    assert caplog.text.count("learns from ids alone") == 1
