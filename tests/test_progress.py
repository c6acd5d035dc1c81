"""Bars of long steps."""

import io
import sys

import pytest

from recexp import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("seconds_a_step", "drawn"), [(0.1, False), (1.0, True)])
def test_a_bar_with_the_time_left_is_drawn_after_two_seconds(
    monkeypatch: pytest.MonkeyPatch, seconds_a_step: float, drawn: bool
) -> None:
    terminal, now = Terminal(), [0.0]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    taken = []
    for step in progress.steps(5, "als"):
        taken.append(step)
        now[0] += seconds_a_step
    assert taken == [0, 1, 2, 3, 4]
    text = terminal.getvalue()
    assert ("als" in text) is drawn
    assert ("/5" in text and "left" in text) is drawn


def test_where_there_is_no_terminal_the_log_gets_a_line_each_half_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with caplog.at_level("INFO", "recexp"):
        for _ in progress.steps(8, "NeuMF"):
            now[0] += 20.0
    assert [record.getMessage() for record in caplog.records] == [
        "NeuMF: 2 of 8 (25 %)",
        "NeuMF: 4 of 8 (50 %)",
        "NeuMF: 6 of 8 (75 %)",
        "NeuMF: 8 of 8 (100 %)",
    ]


def test_elsewhere_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert [*progress.steps(3, "als")] == [0, 1, 2]
    assert capsys.readouterr().err == ""
