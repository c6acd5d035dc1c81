"""Which runs are compared, which of them are one row, and what the rows are called."""

import csv
import io
import re
from typing import Any

import numpy as np
import pytest

from recexp import make
from recexp.comparison import latex, report, tables
from recexp.errors import ConfigError, StoreError
from recexp.params import describe
from recexp.rng import generator


def values(level: float, name: str, u: int = 40) -> np.ndarray:
    return level + generator(6, name).normal(0, 0.05, u)


def run_ids(found: Any) -> dict[str, list[str]]:
    return {ranked.row.label: [run.id for run in ranked.row.runs] for ranked in found.boards[0].rows}


def test_reproductions_do_not_replace_what_they_reproduce(shelf: Any) -> None:
    first = shelf.run("als", values(0.5, "als"))
    shelf.run("pop", values(0.3, "pop"))
    again = shelf.run("als", values(0.1, "off"), tags={"recexp.reproduces": first.id})
    found = shelf.compare()
    assert run_ids(found)["als"] == [first.id]
    assert "excluded: 1 run made to reproduce others; select them with --runs" in found.notes
    assert run_ids(shelf.compare(strict=True))["als"] == [again.id]


def test_two_versions_of_a_class_are_two_models(shelf: Any) -> None:
    first = shelf.run("mine", values(0.5, "a"), tags={"recexp.code": "aaaa" * 16})
    second = shelf.run("mine", values(0.1, "b"), tags={"recexp.code": "bbbb" * 16})
    found = shelf.compare()
    assert run_ids(found) == {"mine code=aaaaaaaa": [first.id], "mine code=bbbbbbbb": [second.id]}
    assert (
        "toy: the code of mine, or a file that it reads, has changed between runs; code=bbbbbbbb is the newest version"
        in found.notes
    )
    assert tables.number(-1e-9) == "0.0000"


def test_runs_that_stop_before_the_test_are_left_out(shelf: Any) -> None:
    shelf.run("als", values(0.5, "als"))
    metrics = {"validation/ndcg_at_10": 0.4, "validation/fallback_share": 0.0, "test/fallback_share": 0.0}
    newest = shelf.run("als", protocol={"runner": "Validation"}, metrics=metrics)
    found = shelf.compare()
    assert [*run_ids(found)] == ["als"]
    assert f"excluded: 1 run without test metrics, such as {newest.id[:8]}" in found.notes
    with pytest.raises(ConfigError, match=f"--runs: {newest.id} .als seed 1. has no test metrics"):
        shelf.compare(strict=True)
    del shelf.found[0]
    with pytest.raises(StoreError, match="there is nothing to compare; excluded: 1 run without test metrics"):
        shelf.compare()


def test_a_row_is_of_its_runs_that_have_the_metric(shelf: Any) -> None:
    als = shelf.run("als", values(0.5, "als"))
    shelf.run("als", values(0.5, "other"), seed=2, name="recall_at_10")
    pop = shelf.run("pop", values(0.3, "pop"))
    found = shelf.compare(metric="ndcg_at_10")
    assert run_ids(found) == {"als": [als.id], "pop": [pop.id]}
    assert "toy: runs without test/ndcg_at_10 are excluded from als (1)" in found.notes


def test_a_newer_run_with_fewer_metrics_does_not_hide_the_older(shelf: Any) -> None:
    old = shelf.run("als", values(0.5, "als"))
    shelf.run("pop", values(0.3, "pop"))
    new = shelf.run("als", values(0.2, "new"), name="recall_at_10")
    shelf.run("pop", values(0.3, "pop 2"), name="recall_at_10")
    assert run_ids(shelf.compare(metric="ndcg_at_10"))["als"] == [old.id]
    assert run_ids(shelf.compare(metric="recall_at_10"))["als"] == [new.id]
    newest = shelf.run("als", values(0.4, "newest"))
    found = shelf.compare(metric="ndcg_at_10")
    assert run_ids(found)["als"] == [newest.id]
    (note,) = (note for note in found.notes if note.startswith("excluded: 1 run repeated by a newer one; "))
    assert "have the same config, data and code, but test/ndcg_at_10 is" in note, "their results differ"


def test_data_sets_without_the_metric_have_no_leaderboard(shelf: Any) -> None:
    for dataset, name in (("a", "ndcg_at_10"), ("b", "recall_at_10")):
        for algorithm in ("als", "pop"):
            shelf.run(algorithm, values(0.5, f"{dataset} {algorithm}"), dataset=dataset, name=name)
    found = shelf.compare(metric="ndcg_at_10")
    assert [board.group.setting for board in found.boards] == ["a"]
    assert "b: 2 models excluded, because they have no test/ndcg_at_10" in found.notes


TUNED = {"tuning": "als-1", "recexp.search": "abc", "recexp.study_trials": "30"}


def test_a_tuned_run_with_the_values_of_a_row_is_a_run_of_it_too(shelf: Any) -> None:
    """Tuning found the default best for seed 1, and another value for seed 2."""
    both = shelf.run("als", values(0.5, "1"), params={"l2": "1"}, tags=TUNED)
    two = shelf.run("als", values(0.5, "2"), seed=2, params={"l2": "1"})
    best = shelf.run("als", values(0.6, "2"), seed=2, params={"l2": "9"}, tags=TUNED)
    assert run_ids(shelf.compare()) == {"als": [both.id, two.id], "als tuned": [both.id, best.id]}


def test_tunings_that_differ_are_rows_of_their_own(shelf: Any) -> None:
    longer = {**TUNED, "recexp.study_trials": "100"}
    wider = {**longer, "recexp.search": "abd"}
    for place, tags in enumerate((TUNED, longer, wider)):
        for seed in (1, 2):
            own = values(0.5 - 0.1 * place, f"{place} {seed}")
            shelf.run("als", own, seed=seed, tags=tags, params={"l2": str(seed)})
    assert [(label, len(runs)) for label, runs in run_ids(shelf.compare()).items()] == [
        ("als tuned 30 trials", 2),
        ("als tuned search=abc 100 trials", 2),
        ("als tuned search=abd 100 trials", 2),
    ]


def test_no_two_rows_have_one_label_or_share_what_is_theirs(shelf: Any) -> None:
    """Classes of one name in two modules; and values whose text is that of two params."""
    for target, level in (("a.Foo", 0.3), ("b.Foo", 0.6)):
        shelf.run("mine", values(level, target), params={"part": target})
    for params in ({"x": "1 y=2"}, {"x": "1", "y": "2"}):
        shelf.run("odd", values(0.5, str(params)), params=params)
    (board,) = shelf.compare().boards
    labels = [ranked.row.label for ranked in board.rows]
    assert sorted(labels) == ["mine part=a.Foo", "mine part=b.Foo", "odd x=1 y=2", "odd x=1 y=2 #2"]
    assert all(ranked.low < ranked.mean < ranked.high for ranked in board.rows)
    assert board.rows[0].low > 0.55 and board.rows[-1].high < 0.35
    assert len({(pair.first, pair.second) for pair in board.pairs}) == 6


def test_a_row_has_runs_of_earlier_versions_too(shelf: Any) -> None:
    """They logged `algorithm.parts.cf._target_`, and knew no rerankers."""
    subject = {"recexp.subject": "algorithm fallback reranker"}
    old = shelf.run("both", values(0.5, "1"), params={"parts.cf._target_": "recexp.algorithms.neighbors.ItemKNN"})
    now = shelf.run("both", values(0.5, "2"), seed=2, params={"parts.cf": "ItemKNN"}, tags=subject)
    now.params["reranker"] = "NoReranker"
    other = shelf.run("both", values(0.4, "3"), params={"parts.cf": "UserKNN"})
    labelled = {"both parts.cf=ItemKNN": [old.id, now.id], "both parts.cf=UserKNN": [other.id]}
    assert run_ids(shelf.compare()) == labelled


def test_a_row_names_the_option_that_was_chosen(shelf: Any) -> None:
    tags = {"recexp.subject": "algorithm fallback reranker", "reranker": "price_range"}
    plain = shelf.run("slim", values(0.5, "1"), tags={**tags, "reranker": "none"})
    ranged = shelf.run("slim", values(0.4, "2"), tags=tags)
    plain.params["reranker"], ranged.params["reranker"] = "NoReranker", "PriceRange"
    assert run_ids(shelf.compare()) == {"slim": [plain.id], "slim reranker=price_range": [ranged.id]}


def test_one_name_for_two_definitions_of_a_metric_is_refused(shelf: Any) -> None:
    runs = [
        shelf.run(
            algorithm,
            metrics={"test/long_tail_coverage_at_10": 0.5},
            defined={"long_tail_coverage": {"class": "recexp.LongTailCoverage", "head": head}},
        )
        for algorithm, head in (("als", 0.8), ("pop", 0.8), ("ease", 0.2))
    ]
    says = r"long_tail_coverage_at_10 is not the same in all runs: head=0.[28] in .*, head=0.[28] in .*; choose runs"
    with pytest.raises(ConfigError, match=says) as raised:
        shelf.compare(metric="long_tail_coverage_at_10")
    assert f"head=0.2 in {runs[2].id[:8]} (ease seed 1)" in str(raised.value)
    del shelf.found[2]
    assert len(run_ids(shelf.compare(metric="long_tail_coverage_at_10"))) == 2


def test_ranks_over_data_sets_are_of_the_same_params(shelf: Any) -> None:
    for dataset, l2 in (("a", "10"), ("b", "1000")):
        shelf.run("als", values(0.5, dataset), dataset=dataset, params={"l2": l2})
        shelf.run("ease", values(0.4, dataset), dataset=dataset, params={"l2": "1"})
        shelf.run("pop", values(0.2, dataset), dataset=dataset)
        shelf.run(
            "ials",
            values(0.3, dataset),
            dataset=dataset,
            params={"k": l2},
            tags={"tuning": dataset, "recexp.search": "s", "recexp.study_trials": "9"},
        )
    shelf.run("ease", values(0.45, "other"), dataset="b", params={"l2": "7"})
    found = shelf.compare()
    assert found.ranks is not None and sorted(found.ranks.labels) == ["ease l2=1", "ials tuned", "pop"]
    (note,) = [note for note in found.notes if "no rank, because" in note]
    assert all(word in note for word in ("als (a)", "als (b)", "ease l2=7 (b)")) and "ials" not in note


def test_files_of_a_split_are_data(shelf: Any) -> None:
    def split(letter: str) -> dict[str, Any]:
        return {"split": {"test": letter * 64, "exclude_seen": True}}

    for dataset in ("a", "b"):
        for algorithm, level in (("als", 0.5), ("pop", 0.3)):
            shelf.run(algorithm, values(level, dataset), dataset=dataset, protocol=split(dataset))
    found = shelf.compare()
    assert found.ranks is not None and found.ranks.labels == ["als", "pop"] and len(found.boards) == 2
    shelf.run("ease", values(0.6, "ease"), dataset="b", protocol=split("c"))
    found = shelf.compare()
    assert any("excluded: 2 runs (" in note and "split.test=" in note for note in found.notes)


def test_text_of_users_stays_text(shelf: Any) -> None:
    """What the terminal, LaTeX and spreadsheets would read as commands."""
    shelf.run("=1+1", values(0.5, "a"), dataset="[red]\n@d")
    shelf.run("pop", values(0.4, "b"), params={"x": "a\nb"}, dataset="[red]\n@d")
    shelf.run("pop", values(0.3, "c"), params={"x": "[/b]"}, dataset="[red]\n@d")
    found = shelf.compare()
    shown = tables.terminal(found)
    assert "[red]" in shown and "pop x=[/b]" in shown and "vs =1+1" in shown
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(found))))
    assert rows[0]["model"] == "'=1+1" and rows[1]["reference"] == "'=1+1" and rows[1]["difference"].startswith("-0.")
    written = latex.as_latex(found)
    assert "\\caption{Results on [red] @d. " in written and "pop (x=a b) & " in written
    assert "pop x=[/b]" in report.as_html(shelf, found)


def test_a_narrow_terminal_is_given_less_but_whole(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    label = {"regularization": "0.001", "iterations": "20"}
    for seed in (1, 2):
        shelf.run("als", values(0.5, f"a{seed}"), seed=seed, params=label)
        shelf.run("als", values(0.4, f"b{seed}"), seed=seed, params={**label, "iterations": "100"})
    found = shelf.compare()
    for width, there in ((56, False), (76, False), (140, True)):
        monkeypatch.setattr(tables, "WIDTH", width)
        _, *table = tables.terminal(found).split("\n- ")[0].splitlines()
        assert max(map(len, table)) <= width
        assert any(re.search(r"als iterat.* 0\.\d{4} ", line) for line in table)
        assert any("won/tied/lost" in line and "no room" not in line for line in table) == there
        assert any("no room for" in line for line in table) != there


def test_sd_is_explained_where_there_is_one_and_runs_that_are_all_alike_are_named(shelf: Any) -> None:
    shelf.run("als", values(0.5, "als"))
    shelf.run("pop", values(0.4, "pop"))
    assert not [line for line in tables.method(shelf.compare()) if "sd" in line]
    shelf.run("als", values(0.6, "als"), seed=2)
    assert [line for line in tables.method(shelf.compare()) if "sd" in line] == ["sd: standard deviation between runs"]
    shelf.run("pop", values(0.4, "pop"), seed=2)
    *_, same = (line for line in tables.method(shelf.compare()) if "sd" in line)
    assert same.startswith("sd 0: all runs of pop have the same ndcg@10, as expected of a deterministic algorithm")


def test_the_metric_is_the_newest_runs_whatever_was_added_later(shelf: Any) -> None:
    """Runs at 1 and 5, of which 5 is compared; a value at 3 would be the middle one of all."""
    for name, level in (("als", 0.5), ("pop", 0.4)):
        run = shelf.run(
            name, values(level, name), name="ndcg_at_5", metrics={"test/ndcg_at_1": 0.1, "test/ndcg_at_3": 0.2}
        )
        run.params["evaluation.cutoffs"] = "[1, 5]"
    assert shelf.compare().metric == "test/ndcg_at_5"


def test_another_class_is_told_without_its_fields_by_the_names_of_today(shelf: Any) -> None:
    def protocol(step: str, split: str, **fields: float) -> dict[str, Any]:
        steps = [{"class": f"recexp.filters.values.{step}", "least": 4.0}]
        return {"filters": {"class": "Filters", "steps": steps}, "split": {"class": f"a.{split}", **fields}}

    shelf.run("als", values(0.5, "als"), protocol=protocol("Binarise", "Third", n=3))
    shelf.run("als", values(0.5, "als"), protocol=protocol("Drop", "Late", days=2))
    told = shelf.compare().notes[0].partition(": ")[2].partition(": ")[2]
    assert told == "filter.steps.0.class=Binarize instead of Drop, split.class=Third instead of Late"


def test_of_many_other_protocols_the_newest_are_told(shelf: Any) -> None:
    for ratio in range(1, 7):
        shelf.run("als", values(0.5, "als"), protocol={"split": {"test_ratio": ratio / 10}})
    notes = shelf.compare().notes
    told = [re.findall(r"\): split.test_ratio=(\S+) instead of 0.6", note) for note in notes if "instead" in note]
    assert told == [["0.5"], ["0.4"], ["0.3"]]
    assert "excluded: 2 older runs with 2 other protocols" in notes


def test_a_line_on_excluded_runs_is_short(shelf: Any) -> None:
    """Another split is its name, another dataset is named, and of many keys the first are told."""
    lists = {f"k{number}": 1 for number in range(5)}
    shelf.run(
        "als", values(0.5, "a"), dataset="films", tags={"split": "temporal"}, protocol={"split": {**lists, "n": 3}}
    )
    shelf.run("als", values(0.5, "b"), tags={"split": "random"}, protocol={"evaluation": lists})
    shelf.run("als", values(0.5, "c"), tags={"split": "random"})
    first, second, more = shelf.compare().notes[:3]
    assert re.fullmatch(
        r"excluded: 1 run \(\w{8}\): evaluation.k0=1 instead of none, .*k2=1 instead of none and 2 more", first
    )
    assert re.fullmatch(r"excluded: 1 run on films \(\w{8}\): split=temporal instead of random", second)
    assert more == "to compare excluded runs with each other, select them with --runs or --sweep"


@pytest.mark.parametrize(
    ("newest", "said"),
    [("lab.Weekend", "shop.Weekend instead of lab.Weekend"), ("lab.Monday", "Weekend instead of Monday")],
)
def test_two_classes_of_one_name_are_told_apart(shelf: Any, newest: str, said: str) -> None:
    for name in ("shop.Weekend", newest):
        shelf.run("als", values(0.5, "als"), protocol={"split": {"class": name}})
    assert any(f"split.class={said}" in note for note in shelf.compare().notes)


def test_a_metric_whose_meaning_changed_is_not_pooled_with_what_it_was(shelf: Any) -> None:
    now = describe(make("metric=personalization"))
    was = {key: value for key, value in now.items() if key != "revision"}
    for algorithm, definition in (("als", was), ("pop", now)):
        shelf.run(algorithm, metrics={"test/personalization_at_10": 0.5}, defined={"personalization": definition})
    with pytest.raises(ConfigError, match=r"not the same in all runs: revision=(2|None) in .*, revision=(2|None) in"):
        shelf.compare(metric="personalization_at_10")
