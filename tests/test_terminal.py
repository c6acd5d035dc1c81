"""What is in data does not steer a terminal."""

import io
import logging

import pytest
from rich.table import Table
from rich.text import Text

from recexp import terminal

HOSTILE = "\x1b]0;title\x07\x1b[2Jx\x9b8m\u202e"
SHOWN = r"\u001b]0;title\u0007\u001b[2Jx\u009b8m\u202e"


@pytest.mark.parametrize("text", ["a\tb\nc", "\u00fc \u65e5\u672c \U0001f600", r"\u001b", ""])
def test_other_text_stays(text: str) -> None:
    assert terminal.visible(text) == text


def test_the_console_draws_what_is_its_own_and_shows_what_is_not() -> None:
    table = Table("head")
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE, "red"))
    out = io.StringIO()
    console = terminal.console(file=out, width=120, force_terminal=True, color_system="standard", no_color=False)
    console.print(table)
    console.print(HOSTILE, markup=False, highlight=False, soft_wrap=True)
    text = out.getvalue()
    assert SHOWN.replace(r"\u0007", "") in text and "\x1b[31m" in text  # rich leaves out the bell
    assert not {"\x07", "\x9b", "\u202e"} & {*text} and not any(raw in text for raw in ("\x1b[2J", "\x1b]"))


def test_lines_of_the_log_are_visible() -> None:
    record = logging.LogRecord("recexp", logging.INFO, __file__, 1, "item %s", (HOSTILE,), None)
    assert terminal.VisibleFormatter("%(message)s").format(record) == f"item {SHOWN}"
