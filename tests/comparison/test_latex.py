"""LaTeX that a strict reader takes: balanced, escaped, as many cells as columns."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recexp import cli
from recexp.comparison import latex

KNOWN = {
    *("providecommand", "toprule", "midrule", "bottomrule", "hline", "begin", "end", "centering", "caption", "label"),
    *("mathbf", "underline", "pm", "dagger", "uparrow", "downarrow", "leq", "textbackslash", "textasciitilde"),
    "textasciicircum",
}


def read(text: str) -> list[list[str]]:
    """Return the cells of the tables of a file; asserts that TeX would take it."""
    text = re.sub(r"(?<!\\)%.*", "", text)
    stripped = re.sub(r"\\[{}%&_#$\\]", "", text)
    depth = 0
    for letter in stripped:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    assert {*re.findall(r"\\([A-Za-z]+)", text)} <= KNOWN
    math, plain = re.findall(r"\$([^$]*)\$", stripped), re.sub(r"\$[^$]*\$", "", stripped)
    assert "$" not in plain and not re.search(r"[_^#~]", plain) and not any("&" in part for part in math)
    opened: list[str] = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if what == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    rows = []
    for columns, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.S):
        body = re.sub(r"\\(top|mid|bottom)rule", "", body)
        *lines, rest = re.split(r"\\\\\n", body)
        assert not rest.strip()
        rows += [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in lines]
        assert {len(row) for row in rows[-len(lines) :]} == {len(columns)}
    assert text.count(r"\caption{") == text.count(r"\label{") == text.count(r"\begin{table}") > 0
    return rows


@pytest.mark.parametrize(
    "bad", ["a & b & c", "{", r"\begin{tabular}{lr} a \\ \end{tabular}", "$x", "a_b", r"\input{x}"]
)
def test_the_reader_is_strict(bad: str) -> None:
    good = "\\begin{table}\\caption{c}\\label{l}\\begin{tabular}{lr}\na & b \\\\\n\\end{tabular}\\end{table}"
    assert read(good) == [["a", "b"]]
    with pytest.raises((AssertionError, IndexError)):
        read(good.replace("a & b", bad))


def test_the_best_is_bold_the_second_underlined_as_they_are_printed(shelf: Any) -> None:
    """`one` and `two` are printed alike, though all users are better off with `two`; `six` has no novelty."""
    for name, level in (("one", 0.50001), ("two", 0.50002), ("a_b&%", 0.4), ("six", 0.3)):
        for seed, shift in ((1, -0.1), (2, 0.1)):
            novelty = {} if name == "six" else {"test/novelty_at_10": {"one": 3.0, "two": 2.0}.get(name, 1.0)}
            metrics = {"test/rmse": 2.0 - level, "test/found_at_10": 1.0, **novelty}
            shelf.run(name, np.full(50, level + shift), seed=seed, metrics=metrics)
    columns = ("novelty_at_10", "rmse")
    head, *body = read(latex.as_latex(shelf.compare(columns=columns)))
    assert head == ["model", r"ndcg@10 $\uparrow$", r"novelty@10 $\uparrow$", r"rmse $\downarrow$"]
    cells = {row[0]: row[1:] for row in body}
    assert cells["one"] == [
        r"$\mathbf{0.5000}^{\dagger} \pm 0.1414$",
        r"$\mathbf{3.0000} \pm 0.0000$",
        r"$\mathbf{1.5000} \pm 0.0000$",
    ]
    assert cells["two"][:2] == [r"$\mathbf{0.5000} \pm 0.1414$", r"$\underline{2.0000} \pm 0.0000$"]
    assert cells[r"a\_b\&\%"][0].startswith(r"$\underline{0.4000}^{\dagger} \pm")
    assert cells["six"][1] == "--" and r"\pm" not in cells["six"][1]


def test_one_run_has_no_spread(shelf: Any) -> None:
    shelf.run("one", np.linspace(0, 1, 50))
    text = latex.as_latex(shelf.compare())
    assert read(text)[1][:2] == ["one", r"$\mathbf{0.5000}$"] and "deviations" not in text


def test_models_are_called_as_papers_call_them(shelf: Any) -> None:
    """Where classes alone do not tell rows apart, params or the labels of the leaderboard do."""
    for k in ("5", "9"):
        shelf.run("item_knn", np.linspace(0, 1, 50), params={"_target_": "recexp.neighbors.ItemKNN", "k": k})
    for name in ("ease", "mine", "other"):
        cls = "recexp.linear.EASE" if name == "ease" else f"{name}_models.Twin"
        shelf.run(name, np.linspace(0, 1, 50), params={"_target_": cls})
    shelf.run("slim", np.linspace(0, 0.5, 50), tags={"tuning": "s", "recexp.study_trials": "30"})
    _, *rows = read(latex.as_latex(shelf.compare(baseline="ease")))
    assert {row[0] for row in rows} == {"ItemKNN (k=5)", "ItemKNN (k=9)", "EASE", "mine", "other", "slim (tuned)"}
    assert "differs significantly from that of EASE (" in latex.as_latex(shelf.compare(baseline="ease"))


def test_a_table_of_one_run_each_says_what_to_type_for_deviations(shelf: Any) -> None:
    for name in ("ease", "pop"):
        tags = {"recexp.command": f"recexp --config-dir conf algorithm={name} seed=7"}
        shelf.run(name, np.linspace(0, 1, 50), tags=tags)
    assert latex.without_deviations(shelf.compare()).endswith(
        "each model has one run; for standard deviations over seeds, run: "
        "recexp --config-dir conf -m algorithm=ease,pop seed=1,2,3,4,5"
    )
    shelf.run("pop", np.linspace(0, 1, 50), seed=2)
    assert latex.without_deviations(shelf.compare()) is None


def test_a_tuned_table_of_five_models_and_three_metrics(shop_folder: Path, inside: Any) -> None:
    """Task (g): two commands."""
    data = [
        f"dataset.interactions={shop_folder / 'ratings.csv'}",
        "dataset=files",
        "filter=implicit",
        "tracking.log_model=false",
    ]
    models = "algorithm=ease,item_knn,p3alpha,popularity,slim"
    tuned = inside("tune", *data, models, "split.validation_ratio=0.2", "seed=1,2", "tuning.trials=2")
    assert tuned.returncode == 0, tuned.stderr
    done = inside("compare", "--columns", "recall_at_5,precision_at_5", "--metric", "ndcg_at_5", "--latex", "table.tex")
    assert done.returncode == 0, done.stderr
    rows = read(Path("table.tex").read_text())
    assert [len(row) for row in rows] == [4] * 6
    assert [name.split("@")[0] for name in rows[0]] == ["model", "ndcg", "recall", "precision"]
    assert {row[0] for row in rows[1:]} == {
        f"{name} (tuned)" for name in ("EASE", "ItemKNN", "P3alpha", "Popularity", "SLIM")
    }
    assert done.stdout.splitlines()[-1] == "LaTeX table: table.tex", "two seeds have a deviation"
    assert all(re.fullmatch(r"\$.*\d\.\d{4}.* \\pm 0\.\d{4}\$", cell) for row in rows[1:] for cell in row[1:])
    assert cli.run(["compare", "--columns", "ndcg_at_7"]) == 2
