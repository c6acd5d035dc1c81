"""Runs in a store, read back and added to."""

import gc
import tempfile
from pathlib import Path

import pytest

from recexp.errors import StoreError
from recexp.history import archive, mlflow_store
from recexp.history.archive import Archive
from recexp.tracking import Input, Tracking

TRACKING = Tracking(uri=None, artifacts=None, experiment="shop's", log_model=False, git_diff=False)


@pytest.fixture
def made(workplace: Path) -> list[str]:
    """Three runs of an experiment with a quote in its name: two complete, one failed."""
    ids = []
    with TRACKING.open() as store:
        for number in range(3):
            try:
                with store.run(name=f"run {number}", tags={"recexp.protocol": "p'" if number else "q"}) as run:
                    ids.append(run.id)
                    (run.directory / "config.yaml").write_text("seed: 3\n")
                    (run.directory / "tables").mkdir()
                    (run.directory / "tables" / "a.csv").write_text("a\n1\n")
                    if number == 2:
                        raise ValueError("broken")
                    run.finish(
                        metrics={"test/ndcg_at_10": number / 10},
                        params={"seed": number},
                        description="d",
                        inputs=[Input("train", "toy", "0" * 64, "/toy")],
                        model_folder=None,
                    )
            except ValueError:
                pass
    return ids


def test_complete_runs_come_oldest_first_with_all_they_carry(made: list[str]) -> None:
    archive = Archive(None)
    found = archive.runs("shop's")
    assert [run.id for run in found] == made[:2]
    assert found[0].started < found[1].started, "the second counts from the end of the first"
    assert [run.metrics["test/ndcg_at_10"] for run in found] == [0.0, 0.1]
    assert [run.params["seed"] for run in found] == ["0", "1"]
    assert [run.id for run in archive.runs(tags={"recexp.protocol": "p'"})] == made[1:2]
    assert [run.status for run in archive.runs("shop's", complete=False)] == ["FINISHED", "FINISHED", "FAILED"]


def test_files_are_found_wherever_they_lie_in_a_run(made: list[str]) -> None:
    archive = Archive(None)
    run = archive.run(made[0])
    assert archive.file(run, "tables/a.csv").read_text() == "a\n1\n"
    assert archive.config(run) == {"seed": 3}
    with pytest.raises(StoreError, match=f"run {run.id} has no file tables/b.csv"):
        archive.file(run, "tables/b.csv")


def test_a_run_can_be_added_to(made: list[str], tmp_path: Path) -> None:
    archive, note = Archive(None), tmp_path / "note.txt"
    note.write_text("seen")
    archive.add(archive.run(made[0]), metrics={"test/new": 0.5}, tags={"looked": "yes"}, files=[note], folder="notes")
    again = archive.run(made[0])
    assert again.metrics == {"test/ndcg_at_10": 0.0, "test/new": 0.5} and again.tags["looked"] == "yes"
    assert archive.file(again, "notes/note.txt").read_text() == "seen"
    assert again.complete


def test_what_is_not_there_is_said(made: list[str], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no run 0123"):
        Archive(None).run("0123")
    with pytest.raises(StoreError, match=r"there is no shop in .*; it has Default, shop's"):
        Archive(None).runs("shop")
    with pytest.raises(StoreError, match="does not exist; run recexp first"):
        Archive(str(tmp_path / "none.db"))


def test_what_is_fetched_from_elsewhere_is_fetched_once_and_removed(
    made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import artifacts

    fetched, fetch = [], artifacts.download_artifacts
    monkeypatch.setattr(archive.run_log, "folder", lambda location: None)
    monkeypatch.setattr(artifacts, "download_artifacts", lambda **given: fetched.append(given) or fetch(**given))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with Archive(None) as opened:
        run, other = (opened.run(run_id) for run_id in made[:2])
        first = opened.file(run, "tables/a.csv")
        assert first.read_text() == "a\n1\n" and opened.file(run, "tables/a.csv") == first
        assert opened.file(other, "tables/a.csv") != first
        assert len(fetched) == 2
        (tmp_path / "a.csv").write_text("a\n2\n")
        opened.add(run, files=[tmp_path / "a.csv"], folder="tables")
        assert opened.file(run, "tables/a.csv").read_text() == "a\n2\n"
    assert list((tmp_path / "temporary").iterdir()) == []
    forgotten = Archive(None)
    assert forgotten.config(run) == {"seed": 3}
    del forgotten
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_tables_say_what_mlflow_says(made: list[str]) -> None:
    archive = Archive(None)
    assert archive._tables is not None
    ids = [*archive.experiments()]
    assert archive.experiments() == {one.experiment_id: one.name for one in archive.client.search_experiments()}
    found = archive.runs(complete=False)
    assert found == mlflow_store.runs(archive.client, ids, {})
    assert {run.id for run in found} == {*made}
    tags = {"recexp.protocol": "p'"}
    assert archive.runs(tags=tags) == mlflow_store.runs(archive.client, ids, {**tags, "recexp.complete": "true"})
