"""`recexp compare` on runs whose values are known."""

import csv
import gc
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from scipy import stats

import recexp

Compare = Callable[..., tuple[int, str, str]]
Skill = Callable[..., np.ndarray]
USERS = 12


def found(compare: Compare, folder: Path, *arguments: str) -> dict:
    code, _, err = compare(*arguments, "--json", str(folder / "a.json"))
    assert code == 0, err
    return json.loads((folder / "a.json").read_text())


def test_seeds_make_a_row_and_users_are_averaged_over_them(
    compare: Compare, tmp_path: Path, skill: Skill, ids: dict[str, str]
) -> None:
    result = found(compare, tmp_path, "--test", "t")
    rows = {row["model"]: row for row in result["models"]}
    assert [*rows] == ["good l2=100.0", "base", "good l2=1.0"]
    good = [np.mean(skill(f"base {seed}") + 0.2 + 0.1 * skill(f"good {seed}")) for seed in (1, 2)]
    best = rows["good l2=100.0"]
    assert best["mean"] == pytest.approx(np.mean(good)) and best["runs"] == 2
    assert best["deviation"] == pytest.approx(abs(good[0] - good[1]) / np.sqrt(2))
    assert best["low"] < best["mean"] < best["high"] and best["cpu_seconds"] == best["most_cpu_seconds"] == 3.0
    assert rows["good l2=1.0"]["deviation"] is None
    pairs = {(pair["first"], pair["second"]): pair for pair in result["pairs"]}
    apart = 0.2 + 0.05 * (skill("good 1") + skill("good 2"))  # the mean over seeds of each user's difference
    pair = pairs["good l2=100.0", "base"]
    assert pair["p"] == pytest.approx(stats.ttest_1samp(apart, 0).pvalue)
    assert pair["d_z"] == pytest.approx(np.mean(apart) / np.std(apart, ddof=1))
    assert (pair["users"], pair["wins"], pair["losses"]) == (USERS, USERS, 0)
    weak = skill("base 1") - 0.3 * skill("weak 1")  # only seed 1 is common
    assert pairs["base", "good l2=1.0"]["p"] == pytest.approx(stats.ttest_1samp(weak, 0).pvalue)
    holm = sorted(pair["p"] for pair in result["pairs"])
    assert min(pair["adjusted"] for pair in result["pairs"]) == pytest.approx(3 * holm[0])
    assert result["notes"] == [
        "excluded: 1 run repeated by a newer one",
        f"excluded: 1 run ({ids['old'][:8]}): split.test_ratio=0.1 instead of 0.2",
        "to compare excluded runs with each other, select them with --runs or --sweep",
        "toy: means are over different splits, differences over the splits that two models share: "
        "good l2=1.0 lacks seed 2 (split toy 2)",
        "toy: 12 users: with so few, intervals may be too narrow",
    ]
    assert pairs["base", "good l2=1.0"]["difference"] == pytest.approx(np.mean(weak))


@pytest.mark.parametrize("argument", ["--experiment=queries", "--experiment=none", "--metric=none", "--tset=t"])
def test_garbage_is_collected_afterwards(compare: Compare, argument: str) -> None:
    compare(argument)
    assert gc.isenabled()


@pytest.mark.parametrize("test", ["permutation", "wilcoxon"])
def test_the_test_asked_for_is_the_one_made(compare: Compare, tmp_path: Path, test: str, skill: Skill) -> None:
    result = found(compare, tmp_path, "--test", test, "--baseline", "base", "--correction", "bh")
    assert [(pair["first"], pair["second"]) for pair in result["pairs"]] == [
        ("good l2=100.0", "base"),
        ("good l2=1.0", "base"),
    ]
    apart = 0.3 * skill("weak 1") - skill("base 1")
    exact = stats.permutation_test((apart,), np.mean, permutation_type="samples", n_resamples=np.inf)
    expected = {"permutation": exact.pvalue, "wilcoxon": stats.wilcoxon(apart).pvalue}
    assert result["pairs"][1]["p"] == pytest.approx(expected[test])
    p = sorted(pair["p"] for pair in result["pairs"])
    bh = [min(2 * p[0], p[1]), p[1]]  # of two, by hand
    assert sorted(pair["adjusted"] for pair in result["pairs"]) == pytest.approx(bh)


def test_queries_of_a_user_count_as_one(compare: Compare, tmp_path: Path, skill: Skill) -> None:
    result = found(compare, tmp_path, "--experiment", "queries", "--test", "t")
    apart = skill("one") - skill("two")
    users = np.r_[apart[:3].mean(), apart[3:]]  # the last two are unknown users, each one of its own
    assert result["pairs"][0]["p"] == pytest.approx(stats.ttest_1samp(users, 0).pvalue)
    assert result["pairs"][0]["users"] == 10


def test_what_was_tuned_is_one_model_whatever_values_were_found(compare: Compare, tmp_path: Path) -> None:
    result = found(compare, tmp_path, "--experiment", "tuned")
    assert {row["model"]: row["runs"] for row in result["models"]} == {"one": 1, "one tuned": 2}


def test_pairs_without_a_common_split_are_not_tested(compare: Compare, tmp_path: Path) -> None:
    result = found(compare, tmp_path, "--experiment", "apart")
    (pair,) = result["pairs"]
    assert (pair["p"], pair["difference"], pair["users"], pair["ahead"]) == (None, None, 0, 0)
    assert "without common users" in compare("--experiment", "apart")[1]


def test_the_lower_error_leads(compare: Compare, tmp_path: Path, skill: Skill) -> None:
    result = found(compare, tmp_path, "--experiment", "ratings", "--test", "t")
    near, far = result["models"]
    assert (near["model"], far["model"]) == ("near", "far") and near["low"] < near["mean"] < near["high"]
    errors = [(e + 0.05 * skill(name, 2 * USERS)) ** 2 for name, e in (("near", 0.1), ("far", 0.5))]
    users = (errors[1] - errors[0]).reshape(USERS, 2).mean(axis=1)
    assert result["pairs"][0]["p"] == pytest.approx(stats.ttest_1samp(users, 0).pvalue, rel=1e-3)  # ratings are float32
    assert result["pairs"][0]["wins"] == USERS and result["pairs"][0]["difference"] < 0


def test_data_sets_are_ranked_apart_and_together(compare: Compare, tmp_path: Path) -> None:
    result = found(compare, tmp_path, "--experiment", "sets")
    assert result["across"]["mean_ranks"] == {"best": 1.0, "middle": 2.0, "worst": 3.0}
    assert result["across"]["friedman_chi2"] == pytest.approx(6.0)  # 3 sets, 3 models, no disagreement
    assert result["across"]["critical_difference"] == pytest.approx(2.343 * np.sqrt(3 * 4 / 18), abs=2e-3)
    assert sorted(result["protocols"]) == ["a", "b", "c"]
    assert "Friedman chi2 = 6.00" in compare("--experiment", "sets")[1]


def test_data_sets_without_the_baseline_are_left_out(compare: Compare, tmp_path: Path) -> None:
    result = found(compare, tmp_path, "--experiment", "gaps", "--baseline", "base")
    assert {(row["dataset"], row["model"]) for row in result["models"]} == {("a", "base"), ("a", "good")}
    assert "b: excluded, because it has no base" in result["notes"]


def test_runs_and_sweeps_can_be_chosen(compare: Compare, tmp_path: Path, ids: dict[str, str]) -> None:
    assert [row["model"] for row in found(compare, tmp_path, "--sweep", "spring")["models"]] == ["good"]
    chosen = ",".join([ids["good 1"], ids["base 2"][:12]])
    assert {row["run_ids"] for row in found(compare, tmp_path, "--runs", chosen)["models"]} == {
        ids["good 1"],
        ids["base 2"],
    }


def test_one_value_a_run_is_ranked_without_tests(compare: Compare, tmp_path: Path) -> None:
    result = found(compare, tmp_path, "--experiment", "bare", "--metric", "gini_at_10")
    assert result["pairs"] == [] and result["models"][0]["low"] is None
    assert "one value per run" in result["notes"][0]


def test_tables_are_written(compare: Compare, tmp_path: Path) -> None:
    code, out, _ = compare("--csv", str(tmp_path / "a.csv"), "--latex", str(tmp_path / "a.tex"))
    assert code == 0 and "ndcg@10 on toy" in out
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["model"] for row in rows] == ["good l2=100.0", "base", "good l2=1.0"] and rows[0]["adjusted"] == ""
    latex = (tmp_path / "a.tex").read_text()
    assert latex.count("\n\\toprule\n") == latex.count("\n\\bottomrule\n") == 1 and r"\begin{tabular}{lrr}" in latex
    assert re.search(r"^good \(l2=100\.0\) & \$\\mathbf\{0\.\d{4}\} \\pm 0\.\d{4}\$ &", latex, re.M)  # unmarked
    assert re.search(r"^base & \$\\underline\{0\.\d{4}\}\^\{\\dagger\} \\pm", latex, re.M)


def test_the_report_needs_nothing_else_and_is_in_the_store(compare: Compare, tmp_path: Path, shop: Path) -> None:
    html = tmp_path / "a.html"
    code, out, _ = compare("--html", str(html))
    assert code == 0
    text = html.read_text()
    links = re.findall(r'<a href="(http://127\.0\.0\.1:5000/#/experiments/\d+/runs/\w{32}\?[\w=]+)"', text)
    assert len(links) == 5  # the runs that are compared: two seeds of two models and one of a third
    rest = re.sub(r' href="[^"]*"', "", text)
    assert not re.search(r"(src|href)=|https?://|url\(|@import", rest)
    assert text.count("<svg") >= 2 and text.count("<tr>") > 3 and "Accuracy against cost" in text
    assert "all runs on toy: filter positive" in text and f"made by recexp {recexp.__version__} on 20" in text
    run_id = re.search(r"in the store: (\w{32})", out)
    assert run_id is not None
    assert [path.read_text() for path in shop.rglob(f"{run_id[1]}/artifacts/a.html")] == [text]
    assert compare("--html", str(html))[1].endswith(f"{run_id[1]}\n")  # the same place again
    note = MlflowClient(f"sqlite:///{shop / 'mlflow.db'}").get_run(run_id[1]).data.tags["mlflow.note.content"]
    assert note.startswith("**ndcg@10**\n\ngood l2=100.0 is best on toy (ndcg@10 ") and note.endswith(
        "The report is `a.html`."
    )
    assert out.splitlines()[:8] == compare()[1].splitlines()[:8]  # the report is no run to compare


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--runs", "ffff"], r"there is no run ffff in .*mlflow\.db"),
        (["--experiment", "empty"], "there are no finished runs in empty; run recexp first"),
        (["--experiment", "none"], "there is no none in .*; it has .*apart.*: give --experiment NAME"),
        (["--metric", "mrr_at_10"], "--metric: mrr_at_10: no run has it; did you mean .* ndcg_at_10, gini_at_10"),
        (["--metric", "ndgc_at_10"], r"--metric: ndgc_at_10: no run has it; did you mean ndcg_at_10\?"),
        (
            ["--experiment", "neither", "--metric", "average_popularity_at_10"],
            r"average_popularity_at_10 has no direction \(higher or lower is better\); choose one of: ndcg_at_10, gini",
        ),
        (["--sweep", "autumn"], "--sweep: there is no autumn in recexp; the newest: spring"),
        (
            ["--baseline", "bas"],
            "--baseline: there is no bas; give one of: 'good l2=100.0', 'base', 'good",
        ),
        (["--baseline", "good"], "--baseline: there are several of good; give one of: 'good l2=100.0', 'good l2=1.0'"),
        (["--test", "z"], "--test: invalid choice: 'z'"),
        (["--tset", "t"], "--tset: unknown; did you mean --test?"),
        (["--csv", "nowhere/a.csv"], "nowhere/a.csv cannot be written: there is no folder"),
        (["evaluation.confidence=2"], "evaluation.confidence: must be less than 1"),
        (["tracking.uri=other.db"], "there are no runs yet: .*other.db does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_told_in_a_line(compare: Compare, arguments: list[str], says: str) -> None:
    code, out, err = compare(*arguments)
    assert (code, out) == (2, "") and re.search(says, err) and len(err.splitlines()) == 1, err


def test_runs_that_do_not_go_together_are_refused(compare: Compare, ids: dict[str, str]) -> None:
    code, _, err = compare("--runs", f"{ids['old']},{ids['base 1']}")
    assert code == 2
    assert f"{ids['old'][:8]} (good seed 1) and {ids['base 1'][:8]} (base seed 1) are of different protocols" in err
    assert "split.test_ratio=0.1 instead of 0.2" in err
    code, _, err = compare("--runs", ids["broken"])
    assert code == 2 and f"{ids['broken']} is not a finished run (failed)" in err


def test_runs_without_values_of_users_are_named(compare: Compare, ids: dict[str, str]) -> None:
    code, _, err = compare("--experiment", "bare")
    assert code == 2
    assert f"run {ids['bare']} has no file per_user.parquet: intervals and paired tests need the values of users" in err


PUBLISHED = "model,run,metric,published,tolerance,source\n"
L2 = "algorithm=good algorithm.l2=100"


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (f"Good,{L2},gini_at_10,0.501,0.002,paper", 0, "0.5000 | 2 | 0.5010 | -0.0010 | 0.002 | met |"),
        ("base,,gini_at_10,0.6,0.05,paper", 1, "1 of 1 published numbers are not reached"),
        ("Other,algorithm=other,gini_at_10,0.6,0.05,paper", 1, "|  | 0 | 0.6000 |  | 0.05 | missing |"),
        (
            "Other,algorithm=other,gini_at_10,0.6,0.05,paper",
            1,
            "no finished run matches any of the 1 published numbers",
        ),
        (f"Other,,gini_at_10,0.6,0.05,paper\nGood,{L2},gini_at_10,0.5,0.1,paper", 0, "missing"),
        ("Good,algorithm=good,gini_at_10,0.5,0.1,paper", 2, "a.csv:2: several models are algorithm=good: 'good l2="),
        ("Good,algorithm=good,gini_at_10,x,0.1,paper", 2, "a.csv:2: published and tolerance must be numbers"),
    ],
    ids=["met", "off", "missing", "all missing", "some missing", "several", "no number"],
)
def test_published_numbers_stand_beside_ours(compare: Compare, tmp_path: Path, line: str, code: int, says: str) -> None:
    (tmp_path / "a.csv").write_text(f"{PUBLISHED}{line}\n")
    got, out, err = compare("--published", str(tmp_path / "a.csv"))
    assert got == code and says in out + err, out + err


def test_published_numbers_are_of_what_was_not_tuned(compare: Compare, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{PUBLISHED}One,algorithm=one,gini_at_10,0.5,0.1,paper\n")
    code, out, err = compare("--experiment", "tuned", "--published", str(tmp_path / "a.csv"))
    assert code == 0 and "| One | gini_at_10 | 0.5000 | 1 |" in out, err


@pytest.mark.parametrize("more", [["--json", "b.json"], ["--html", "b.html"], ["--metric", "gini_at_10"]])
def test_published_numbers_go_with_nothing_that_would_be_left_undone(
    compare: Compare, tmp_path: Path, more: list[str]
) -> None:
    (tmp_path / "a.csv").write_text(f"{PUBLISHED}base,,gini_at_10,0.5,0.1,paper\n")
    code, out, err = compare("--published", str(tmp_path / "a.csv"), *more)
    assert (code, out) == (
        2,
        "",
    ) and f"--published prints a separate table and cannot be combined with {more[0]}" in err


def test_a_file_that_is_no_table_of_published_numbers_is_refused(compare: Compare, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("model,metric\n")
    code, _, err = compare("--published", str(tmp_path / "a.csv"))
    assert code == 2 and "has no column published, tolerance, source" in err
    code, _, err = compare("--published", str(tmp_path / "b.csv"))
    assert code == 2 and "b.csv cannot be read" in err
