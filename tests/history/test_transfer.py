"""Runs that go from one store to another as a zip file."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import recexp as library
from recexp import cli
from recexp.history.archive import Archive, StoredRun
from recexp.models.fitted import FittedModel


@pytest.fixture(scope="module")
def parcel(shop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported run; the store and the folder that it came from are out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop_folder)
        outcome = library.run(
            "dataset=files", "dataset.interactions=ratings.csv", "algorithm=item_knn", "tracking.experiment=away"
        )
        file = tmp_path_factory.mktemp("parcel") / "run.zip"
        assert cli.run(["export", outcome.run_id, str(file)]) == 0
        assert cli.run(["export", outcome.run_id, str(file)]) == 2  # it is there already
    return file


STORES = ("recexp.imported_from", "recexp.job", "recexp.job_runs")
"""Tags about the store that a run is in."""


def content(archive: Archive, run: StoredRun) -> dict[str, object]:
    """All that a store knows of a run but its ids."""
    client = archive.client
    entity = client.get_run(run.id)
    folder = Path(client.download_artifacts(run.id, ""))
    return {
        "name": run.name,
        "params": run.params,
        "started": run.started,
        "ended": entity.info.end_time,
        "tags": {key: value for key, value in run.tags.items() if key not in STORES},
        "metrics": {
            name: [(p.value, p.timestamp, p.step) for p in client.get_metric_history(run.id, name)]
            for name in run.metrics
        },
        "inputs": sorted(
            (i.dataset.name, i.dataset.digest, i.dataset.source, i.tags[0].value) for i in entity.inputs.dataset_inputs
        ),
        "files": {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()},
    }


def test_a_run_arrives_whole_and_is_reproduced_there(
    parcel: Path, shop_folder: Path, workplace: Path, capsys: pytest.CaptureFixture
) -> None:
    (workplace / "mlflow.db").unlink()
    shutil.copy(shop_folder / "ratings.csv", "here.csv")
    assert cli.run(["import", str(parcel)]) == 0
    here, there = Archive(None), Archive(str(shop_folder / "mlflow.db"))
    (run,) = here.runs("away")
    origin = there.run(run.tags["recexp.imported_from"])
    assert f"run {run.id}: imported from {origin.id} into away" in capsys.readouterr().out
    assert run.complete and content(here, run) == content(there, origin)
    answers = []
    for archive, of in ((here, run), (there, origin)):
        (output,) = archive.client.get_run(of.id).outputs.model_outputs
        where = archive.client.get_logged_model(output.model_id).artifact_location
        answers.append(FittedModel.load(Path(where.removeprefix("file://")) / "recexp").recommend("u3", n=5))
    assert answers[0] == answers[1]
    assert cli.run(["reproduce", run.id]) == 2
    assert "dataset.interactions: ratings.csv: no such file" in capsys.readouterr().err
    assert cli.run(["reproduce", run.id, "dataset.interactions=here.csv"]) == 0
    assert "metrics bit-equal" in capsys.readouterr().out
    assert cli.run(["import", str(parcel)]) == 0
    assert f"run {run.id}: is in the store already, imported from {origin.id}" in capsys.readouterr().out
    assert len(here.runs(complete=False)) == 2
    assert cli.run(["export", run.id, "again.zip"]) == 0
    assert cli.run(["import", "again.zip", f"tracking.uri={there.uri}"]) == 0
    assert f"run {origin.id}: is in the store already\n" in capsys.readouterr().out


def test_a_sweep_goes_on_over_imported_and_removed_runs(
    parcel: Path, shop_folder: Path, workplace: Path, inside: Callable
) -> None:
    shutil.copy(shop_folder / "ratings.csv", "ratings.csv")
    assert cli.run(["import", str(parcel)]) == 0
    words = [
        "dataset=files",
        "dataset.interactions=ratings.csv",
        "algorithm=item_knn",
        "resume=true",
        "tracking.experiment=away",
    ]
    (run,) = Archive(None).runs("away")
    assert "recexp.job" not in run.tags
    assert inside(*words).returncode == 0
    archive = Archive(None)
    job = archive.run(run.id).tags["recexp.job"]
    for gone in ("0" * 32, f"{run.id} {'1' * 32}"):
        archive.add(run, tags={"recexp.job_runs": gone})
        assert inside(*words).returncode == 0
        assert [one.id for one in archive.runs("away")] == [run.id]
        now = archive.run(run.id).tags
        assert (now["recexp.job"], now["recexp.job_runs"]) == (job, run.id)


def test_a_run_is_found_by_the_id_that_it_had(parcel: Path, workplace: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.run(["import", str(parcel)]) == 0
    archive = Archive(None)
    (run,) = archive.runs("away")
    origin = run.tags["recexp.imported_from"]
    assert archive.run(origin).id == archive.run(origin[:9]).id == run.id
    assert cli.run(["export", origin, "again.zip"]) == 0


def test_an_import_that_fails_leaves_nothing(
    parcel: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    from mlflow import MlflowClient

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_inputs", full)
        assert cli.run(["import", str(parcel), "tracking.experiment=other"]) == 1
    assert "the disk is full" in capsys.readouterr().err
    assert Archive(None).runs(complete=False) == []
    assert cli.run(["import", str(parcel), "tracking.experiment=other"]) == 0
    assert len(Archive(None).runs("other")) == 1


def rewritten(parcel: Path, change: Callable[[dict[str, bytes], dict], None]) -> bytes:
    """The zip file with other members or another manifest."""
    with zipfile.ZipFile(parcel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(members, manifest)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            archive.writestr(name, data)
    return file.getvalue()


def climbing(name: str) -> Callable[[dict[str, bytes], dict], None]:
    def change(members: dict[str, bytes], manifest: dict) -> None:
        members[name] = b"x"
        manifest["sha256"][name] = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

    return change


BAD: dict[str, tuple[Callable[[dict[str, bytes], dict], None], str]] = {
    "changed": (lambda m, _: m.update({"files/config.yaml": b"seed: 2"}), "files/config.yaml has not the checksum"),
    "missing": (lambda m, _: m.pop("files/lists.parquet"), "does not hold the files that manifest.json lists"),
    "extra": (lambda m, _: m.update({"files/more.txt": b""}), "does not hold the files that manifest.json lists"),
    "climbing": (climbing("files/../../owned"), "holds 'files/../../owned', which is no part of an exported run"),
    "absolute": (climbing("/tmp/owned"), "holds '/tmp/owned', which is no part of an exported run"),
    "elsewhere": (climbing("owned"), "holds 'owned', which is no part of an exported run"),
    "newer": (lambda _, manifest: manifest.update(format=2), "has format 2; this recexp reads format 1"),
    "foreign": (lambda _, manifest: manifest.update(kind="book"), "is not a run that recexp has exported: its"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused(
    parcel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, capsys: pytest.CaptureFixture
) -> None:
    change, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    Path("bad.zip").write_bytes(rewritten(parcel, change))
    assert cli.run(["import", "bad.zip"]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.zip"]


def test_what_is_no_exported_run_is_refused(
    parcel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cut.zip").write_bytes(parcel.read_bytes()[:-500])
    Path("text.zip").write_text("not a zip")
    with zipfile.ZipFile("other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    data = bytearray(parcel.read_bytes())
    data[len(data) // 2] ^= 255
    Path("flipped.zip").write_bytes(bytes(data))
    for words, message in (
        (["cut.zip"], "cut.zip is no zip file, or a damaged one"),
        (["text.zip"], "text.zip is no zip file"),
        (["other.zip"], "other.zip is not a run that recexp has exported: it has no manifest.json"),
        (["flipped.zip"], "flipped.zip is"),
        (["none.zip"], "none.zip: no such file"),
        ([], "recexp import takes FILE.zip"),
    ):
        assert cli.run(["import", *words]) == 2
        assert message in capsys.readouterr().err
    assert not Path("mlflow.db").exists()
    assert cli.run(["export", "0123"]) == 2
    assert "recexp export takes RUN_ID FILE.zip" in capsys.readouterr().err
