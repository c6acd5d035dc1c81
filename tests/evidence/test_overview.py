"""What a run's description begins with: a headline, bars and lists, whatever the titles contain."""

import re
from html import unescape

import numpy as np
from markdown_it import MarkdownIt

from recexp.config.experiments import make
from recexp.data import Dataset, Interactions
from recexp.evaluation.evaluation import EvaluationResult
from recexp.evaluation.slices import Slice
from recexp.evidence.description import Summary, describe_run
from recexp.evidence.overview import bar_lines, headline, overview
from recexp.evidence.recommendations import PartResult
from recexp.ranking import Lists

ODD = ["<b>A & B</b>", "*a* | `b`", "[x](y) _z_", "line\nbreak", "", "12345678901234567890"]
SHOWN = ["<b>A & B</b>", "*a* | `b`", "[x](y) _z_", "line break", "14", "12345678901234…"]


def part(items: list[int], users: int = 8) -> PartResult:
    """Every user has seen some of six items and gets `items`, the first of which was held out."""
    rows = Interactions(*np.indices((users, 6), np.int32).reshape(2, -1), np.ones(6 * users, np.float32), users, 6)
    data = Dataset("tiny", rows, np.arange(users) + 100, np.arange(6) + 10)
    split = next(make("split=leave_random").split(data))
    b = len(split.queries)
    lists = Lists(np.tile(np.array(items, np.int32), (b, 1)), np.zeros((b, len(items)), np.float32))
    hits = np.zeros((b, len(items)), bool)
    hits[:, 0] = True
    slices = [
        Slice("user_activity", f"{label} rows", 4, "ndcg_at_10", value, value, value)
        for label, value in (("1-5", 0.25), ("6-9", 0.5))
    ]
    results = object.__new__(EvaluationResult)
    for name, value in (("slices", slices), ("hits", hits), ("metrics", {"ndcg_at_10": 0.375}), ("intervals", {})):
        object.__setattr__(results, name, value)
    return PartResult("test", split, lists, None, results, 0.0)


def cells(html: str) -> list[list[str]]:
    """Return the visible lines of each cell."""
    lines = [re.split(r"<br>", cell) for cell in re.findall(r"<td>(.*?)</td>", html, re.DOTALL)]
    return [
        [unescape(re.sub("</?b>", "", line)).replace("\xa0", " ").replace("\u2011", "-").strip() for line in cell]
        for cell in lines
    ]


def test_titles_are_shown_as_they_are_after_markdown() -> None:
    def shown(items: list[int]) -> list[str]:
        text = overview(part(items), np.array(ODD, object)) + "\n\n**next**\n"
        html = MarkdownIt("commonmark", {"html": True}).render(text)
        assert "<strong>next</strong>" in html and "<script" not in html and html.count("<table>") == 1
        return cells(html)[1][1:]

    assert shown([0, 1, 2, 3]) == [f"✓ {SHOWN[0]}", *SHOWN[1:4]]
    assert shown([1, 4, 5, -1]) == [f"✓ {SHOWN[1]}", *SHOWN[4:]]


def test_it_has_five_lines_three_users_and_ids_where_there_are_no_titles() -> None:
    first, *lists = cells(overview(part([3, 2, 1, 0, 4]), None))
    assert first == ["ndcg@10 0.3750", "0.250 ▇▇ 1-5 rows", "0.500 ▇▇▇▇▇ 6-9 rows"]
    assert lists[0] == ["user 101", "✓ 13", "12", "11", "10"], "evenly spaced: the second of eight users"
    assert [cell[0] for cell in lists] == ["user 101", "user 103", "user 105"]


def test_without_lists_the_description_begins_with_its_headline() -> None:
    assert overview(part([-1, -1]), None) == ""
    text = describe_run(Summary("truth", "store", {}, 1, "episodes", {"episodes/reward": 0.5}, {}, "recexp"))
    assert text.startswith("**truth** on **store**")


def test_the_whole_description_follows() -> None:
    summary = Summary("ease", "toy", {}, 1, "test", {"test/ndcg_at_10": 0.5}, {}, "recexp", overview="<table></table>")
    assert describe_run(summary).startswith("<table></table>\n\n**ease** on **toy**, seed 1: **test/ndcg_at_10 = 0.5")


def test_values_that_are_not_positive_have_no_bar() -> None:
    assert bar_lines([("a", 0.0), ("b", -1.0)]) == ["0.000&nbsp;a", "&#8209;1.000&nbsp;b"]
    assert bar_lines([]) == []


def test_the_headline_has_the_half_width_of_its_interval() -> None:
    values = {"test/ndcg_at_5": 0.125, "test/ndcg_at_10": 0.25, "test/recall_at_10": 0.5}
    assert headline(values, {"test/ndcg_at_10": (0.2, 0.3)}, "test") == "ndcg@10 0.2500 ±0.0500"
    assert headline({}, {}, "test") == ""
