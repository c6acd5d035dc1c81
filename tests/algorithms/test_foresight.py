"""Needs that grow with a square are said before anything is allocated, and refused where they cannot fit."""

import logging

import numpy as np
import pytest

from recexp import make, system
from recexp.algorithms.linear import ease
from recexp.data import Dataset, Interactions
from recexp.errors import ConfigError


def of(n_users: int, n_items: int) -> Dataset:
    users, items = np.array([0, 0, n_users - 1], np.int32), np.array([0, n_items - 1, 0], np.int32)
    rows = Interactions(users, items, np.ones(3, np.float32), n_users, n_items)
    return Dataset("wide", rows, np.arange(n_users), np.arange(n_items))


@pytest.mark.parametrize(
    ("algorithm", "data", "figure"),
    [
        (["ease"], of(3, 60_000), "ease of 60,000 items needs 13.4 GiB"),  # 4 x 60,000^2 bytes
        (["slim_admm"], of(3, 60_000), "slim_admm of 60,000 items needs 53.6 GiB"),  # 16 x 60,000^2 bytes
        (["user_knn", "k=1000"], of(1_000_000, 3), "user_knn of 1,000,000 users needs 11.2 GiB"),  # its lists: 12 k n
        (["gf_cf", "factors=2000"], of(3_000, 1_000_000), "3,000 users and 1,000,000 items needs 67.1 GiB"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_refused(
    algorithm: list[str], data: Dataset, figure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "free_mib", lambda: 8 * 1024)
    name, *settings = algorithm
    with pytest.raises(ConfigError) as refused:
        make(f"algorithm={name}", *(f"algorithm.{setting}" for setting in settings)).fit(data)
    text = str(refused.value)
    assert text.startswith("algorithm: ") and figure in text and "8.0 GiB are free; use " in text and "\n" not in text


def test_slim_foresees_the_smaller_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "free_mib", lambda: 8 * 1024)
    one = np.zeros(50_000, np.int32)
    rows = Interactions(one, np.arange(50_000, dtype=np.int32), np.ones(50_000, np.float32), 1, 50_000)
    with pytest.raises(ConfigError, match=r"slim of 50,000 items needs 9\.3 GiB"):  # 4 x 50,000^2 bytes
        make("algorithm=slim").fit(Dataset("one user", rows, np.arange(1), np.arange(50_000)))


def test_neighbors_of_one_long_history_say_how_long_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "free_mib", lambda: 8 * 1024)
    one = np.zeros(2_000_000, np.int32)
    rows = Interactions(one, np.arange(2_000_000, dtype=np.int32), np.ones(2_000_000, np.float32), 1, 2_000_000)
    data = Dataset("one user", rows, np.arange(1), np.arange(2_000_000))
    for name in ("item_knn", "p3alpha"):
        with pytest.raises(ConfigError, match=r"of 2,000,000 items needs 14\.9 GiB"):  # 8 k n bytes
            make(f"algorithm={name}", "algorithm.k=1000").fit(data)


def test_a_small_need_goes_without_saying(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "free_mib", lambda: 1)
    with caplog.at_level(logging.INFO):
        make("algorithm=ease").fit(of(5, 4))
    assert not caplog.records


@pytest.mark.parametrize("l2", [0.01, 250.0], ids=["double", "single"])
def test_ease_is_as_right_in_single_precision(l2: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "SMALL", 2)
    x = (np.random.default_rng(1).random((3000, 40)) < 0.5).astype(float)
    users, items = (part.astype(np.int32) for part in np.nonzero(x))
    rows = Interactions(users, items, np.ones(len(users), np.float32), *x.shape)
    model = make("algorithm=ease", f"algorithm.l2={l2}").fit(Dataset("dense", rows, np.arange(3000), np.arange(40)))
    p = np.linalg.inv(x.T @ x + l2 * np.eye(40))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    np.testing.assert_allclose(model.weights_, b, atol=2e-6)
