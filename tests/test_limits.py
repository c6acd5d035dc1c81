"""Numbers that no machine holds, and text that other programs would run."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

import recexp as library
from recexp import config, folders
from recexp.comparison import tables
from recexp.errors import ConfigError
from recexp.evaluation.slices import Slice
from recexp.evidence import run_files
from recexp.spreadsheets import as_meant, harmless
from recexp.tuning.overrides import _word

TOO_LARGE = [
    ("evaluation=ranking", "evaluation.cutoffs=[1000000000]", "evaluation.cutoffs.0: must be less than or equal to"),
    ("evaluation=ranking", "evaluation.resamples=1000000000000", "evaluation.resamples: must be less than or equal"),
    ("algorithm=als", "algorithm.factors=1000000000", "algorithm.factors: must be less than or equal to 1000000"),
    ("algorithm=item_knn", "algorithm.k=1000000000000000000000", "algorithm.k: must be less than or equal to"),
    ("runner=offline", "runner.threads=100000", "runner.threads: must be less than or equal to 1024 (got 100000)"),
    ("dataset=electronics", "dataset.n_users=1000000000000", "dataset.n_users: must be less than or equal to"),
]


@pytest.mark.parametrize(("component", "word", "message"), TOO_LARGE, ids=[word for _, word, _ in TOO_LARGE])
def test_what_no_machine_holds_is_refused_by_its_key(component: str, word: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        library.make(component, word)
    assert message in str(refused.value)


def test_cutoffs_beyond_the_catalogue_cost_nothing(shop: Path) -> None:
    """A list of all 25 films holds each film that was held out, whatever is the cut-off."""
    words = ("dataset=files", "dataset.interactions=ratings.csv", "algorithm=popularity", "tracking.log_model=false")
    found = library.run(*words, "evaluation.metrics=[recall]", "evaluation.cutoffs=[25,1000000]").metrics
    assert found["test/recall_at_25"] == found["test/recall_at_1000000"] == 1


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "'=1", "''=1", "a", "", "'a", "-5", "+1e3"]
)
def test_a_cell_is_no_formula_and_is_read_as_it_was_meant(text: str) -> None:
    written = harmless(text)
    runs = text.startswith(("=", "@", "\t")) or text in ("+cmd", "-2+3")
    assert (written == f"'{text}") if runs else as_meant(written) == text
    assert as_meant(written) == text


def test_no_file_of_a_run_has_formulas(tmp_path: Path) -> None:
    import pyarrow as pa

    rows = [Slice("genre", "=HYPERLINK(1)", 3, "ndcg_at_10", -0.5, -1.0, 1.0)]
    run_files.write_slices(tmp_path, rows)
    assert run_files.read_slices(tmp_path / "slices.csv") == rows
    run_files._write_csv(pa.table({"item_id": ["=1", "b"], "score": [-1.0, 2.0]}), tmp_path / "sample.csv")
    with (tmp_path / "slices.csv").open() as slices, (tmp_path / "sample.csv").open() as sample:
        assert next(csv.DictReader(slices))["group"] == "'=HYPERLINK(1)"
        assert [*csv.reader(sample)][1] == ["'=1", "-1"]
    assert tables.harmless is harmless


@pytest.mark.parametrize("text", ["it's", "a\\", "a\\'b", "'", "x,y"])
def test_a_tuned_value_is_quoted_as_hydra_reads_it(text: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    assert OverridesParser.create().parse_override(f"key={_word(text)}").value() == text


@pytest.mark.parametrize("words", [("--config-dir=",), ("--config-dir", "")])
def test_a_config_folder_without_a_name_is_refused(inside: Callable, words: tuple[str, ...]) -> None:
    done = inside(*words, "algorithm=popularity")
    assert (done.returncode, done.stderr) == (2, "recexp: --config-dir: nothing is not a folder\n")
    assert config.search_dirs() == [folders.conf_dir()]
