"""What a run keeps of a log: statistics of all rows, and plots that show what was put into it."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recexp.data import Column, Dataset, Interactions
from recexp.datasets.electronics import Electronics
from recexp.evidence.log_report import _hours, _popularity, _shares, _weeks, log_report
from recexp.log_statistics import by_kind

SMALL = ("dataset=electronics", "dataset.n_users=60", "dataset.n_products=40", "dataset.n_visits=600")
NOON = 1_704_110_400  # 2024-01-01 12:00 UTC


def shop() -> Dataset:
    """Four views and a purchase of two users; the second views by mobile an hour later, and buys in the second week."""
    rows = Interactions(
        users=np.array([0, 0, 0, 1, 1], np.int32),
        items=np.array([0, 0, 1, 0, 0], np.int32),
        values=np.ones(5, np.float32),
        n_users=2,
        n_items=3,
        timestamps=NOON + np.array([0, 60, 120, 3600, 8 * 86_400]),
        events=Column("category", np.array([0, 0, 0, 0, 1], np.int32), ("view", "purchase")),
        context={"device": Column("category", np.array([0, 0, 0, 1, 1], np.int32), ("desktop", "mobile"))},
    )
    return Dataset("shop", rows, np.arange(2), np.arange(3))


def test_curves_are_what_is_in_the_log() -> None:
    parts = {kind: part.interactions for kind, part in by_kind(shop()).items()}
    assert _popularity(parts["view"]) == [(0.0, np.log10(3)), (np.log10(2), 0.0)], "three views, one, and none"
    hours = _hours(parts)
    assert {name: found.tolist() for name, found in hours.items()} == {"desktop": [12, 12, 12], "mobile": [13]}
    assert _shares(hours["mobile"], 24)[12:14] == [(12, 0.0), (13, 1.0)]
    assert {kind: found.tolist() for kind, found in _weeks(parts).items()} == {"view": [0, 0, 0, 0], "purchase": [1]}


def test_the_funnel_is_in_its_order_with_rates() -> None:
    rows = shop().interactions
    events = Column("category", np.array([3, 0, 0, 2, 1], np.int32), ("view", "purchase", "addtocart", "return"))
    data = replace(shop(), interactions=replace(rows, events=events))
    drawn = log_report(data).plots["log_funnel"].picture.file("funnel")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    bars = ["view", "cart, 50.00% of views", "purchase, 100.00% of carts", "return, 100.00% of purchases"]
    assert [text for text in texts if text in bars] == bars
    assert "2" in texts and not any(text.endswith(".0000") for text in texts)


def test_a_log_without_times_has_no_plots_of_them() -> None:
    data = shop()
    plots = log_report(replace(data, interactions=replace(data.interactions, timestamps=None))).plots
    assert [name for name, plot in plots.items() if plot.picture is None] == ["log_day", "log_year"]


@pytest.mark.parametrize("runner", [(), ("runner=validation", "split.validation_ratio=0.2")])
def test_a_run_keeps_them_where_it_is_asked(
    runner: tuple[str, ...], inside: Callable, runs: Callable, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, load = [], Electronics.load
    monkeypatch.setattr(Electronics, "load", lambda source: read.append(source) or load(source))
    words = (*runner, "runner.cache=false", *SMALL)
    for asked in ("true", "false"):
        done = inside(*words, "algorithm=popularity", "evaluation.resamples=20", f"runner.statistics={asked}")
        assert done.returncode == 0, done.stderr
    assert len(read) == 2, "each run reads the rows once"
    plain, told = runs()
    assert plain.data.tags["recexp.config"] == told.data.tags["recexp.config"], "it changes no result"
    assert "statistic of the log" in told.data.tags["mlflow.note.content"]
    assert "carts/views 0." in told.data.tags["mlflow.note.content"], "in the words of recexp profile"
    assert "statistic of the log" not in plain.data.tags["mlflow.note.content"]
    found = {path.parts[-4] for path in workplace.glob("*/*/artifacts/plots/log_*.svg")}
    names = {path.stem for path in workplace.glob(f"*/{told.info.run_id}/artifacts/plots/log_*.svg")}
    assert found == {told.info.run_id}
    assert names == {"log_funnel", "log_popularity", "log_day", "log_year"}
