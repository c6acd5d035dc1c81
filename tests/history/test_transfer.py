"""Runs that go from one store to another as a zip file."""

import hashlib
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
    assert f"run {run.id}: is already in the store, imported from {origin.id}" in capsys.readouterr().out
    assert len(here.runs(complete=False)) == 2
    assert cli.run(["export", run.id, "again.zip"]) == 0
    assert cli.run(["import", "again.zip", f"tracking.uri={there.uri}"]) == 0
    assert f"run {origin.id}: is already in the store\n" in capsys.readouterr().out


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
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            archive.writestr(name, data)
    return file.getvalue()


def climbing(name: str) -> Callable[[dict[str, bytes], dict], None]:
    def change(members: dict[str, bytes], manifest: dict) -> None:
        members[name] = b"x"
        manifest["sha256"][name] = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

    return change


BAD: dict[str, tuple[Callable[[dict[str, bytes], dict], None], str]] = {
    "changed": (
        lambda m, _: m.update({"files/config.yaml": b"seed: 2"}),
        "files/config.yaml does not have the checksum",
    ),
    "missing": (lambda m, _: m.pop("files/lists.parquet"), "does not contain the files that manifest.json lists"),
    "extra": (lambda m, _: m.update({"files/more.txt": b""}), "does not contain the files that manifest.json lists"),
    "climbing": (
        climbing("files/../../owned"),
        "contains 'files/../../owned', which does not belong to an exported run",
    ),
    "absolute": (climbing("/tmp/owned"), "contains '/tmp/owned', which does not belong to an exported run"),
    "elsewhere": (climbing("owned"), "contains 'owned', which does not belong to an exported run"),
    "newer": (lambda _, manifest: manifest.update(format=2), "has format 2; this recexp reads format 1"),
    "foreign": (lambda _, manifest: manifest.update(kind="book"), "is not an exported run, according to its"),
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
    with zipfile.ZipFile(parcel) as archive:
        largest = max(archive.infolist(), key=lambda member: member.compress_size)
    data = bytearray(parcel.read_bytes())
    data[largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2] ^= 255
    Path("flipped.zip").write_bytes(bytes(data))
    for words, message in (
        (["cut.zip"], "cut.zip is not a zip file, or is damaged"),
        (["text.zip"], "text.zip is not a zip file"),
        (["other.zip"], "other.zip is not an exported run: it has no manifest.json"),
        (["flipped.zip"], "flipped.zip is"),
        (["none.zip"], "none.zip: no such file"),
        ([], "recexp import takes FILE.zip"),
    ):
        assert cli.run(["import", *words]) == 2
        assert message in capsys.readouterr().err
    assert not Path("mlflow.db").exists()
    assert cli.run(["export", "0123"]) == 2
    assert "recexp export takes RUN FILE.zip" in capsys.readouterr().err


def edited(parcel: Path, change: Callable[[dict[str, bytes], dict], None]) -> bytes:
    """The zip file with other members, whose checksums are right; `change` is given them and the record."""

    def change_all(members: dict[str, bytes], manifest: dict) -> None:
        record = json.loads(members["record.json"])
        change(members, record)
        members["record.json"] = json.dumps(record).encode()
        manifest["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}

    return rewritten(parcel, change_all)


def better(members: dict[str, bytes], record: dict) -> None:
    record["metrics"]["test/ndcg_at_10"][0][0] = 0.99


FORGED: dict[str, tuple[Callable[[dict[str, bytes], dict], None], str]] = {
    "no experiment": (lambda _, r: r.pop("experiment"), "record.json: experiment: Field required"),
    "a number for a name": (lambda _, r: r.update(name=3), "record.json: name: Input should be a valid string (got 3)"),
    "a list of tags": (lambda _, r: r.update(tags=[]), "record.json: tags: Input should be"),
    "params that are numbers": (lambda _, r: r["params"].update(seed=1), "record.json: params.seed: Input should be"),
    "a time that is text": (lambda _, r: r.update(started="now"), "record.json: started: Input should be"),
    "a time beyond int64": (lambda _, r: r.update(ended=2**70), "record.json: ended: Input should be less"),
    "a metric without points": (lambda _, r: r["metrics"].update({"test/x": []}), "record.json: metrics.test/x: List"),
    "a metric of text": (
        lambda _, r: r["metrics"].update({"cost/x": [["1", 2, 3]]}),
        "metrics.cost/x: must be [number, milliseconds, step] (got ['1', 2, 3])",
    ),
    "a metric that is infinite": (
        lambda _, r: r["metrics"].update({"cost/x": [[1e999, 2, 3]]}),
        "metrics.cost/x: must",
    ),
    "inputs that are none": (lambda _, r: r.update(inputs=[{}]), "record.json: inputs.0.name: Field required"),
    "an id with a path": (lambda _, r: r.update(id="../x"), "record.json: id: String should match"),
    "what a terminal obeys": (
        lambda _, r: r["tags"].update(x="\x1b[2J"),
        "record.json: tags.x: must not contain control char",
    ),
    "a name of two lines": (lambda _, r: r["params"].update({"a\nb": "1"}), "must be one line of text"),
    "a list": (lambda m, r: r.clear(), "record.json: id: Field required"),
    "a better metric": (better, "record.json has test/ndcg_at_10 = 0.99, and files/metrics.csv has 0."),
    "one metric more": (
        lambda _, r: r["metrics"].update({"test/mrr_at_10": [[0.99, 1, 0]]}),
        "record.json has test/mrr_at_10 = 0.99, and files/metrics.csv has nothing of the kind",
    ),
    "metrics of text": (lambda m, _: m.update({"files/metrics.csv": b"metric,value\na,b\n"}), "files/metrics.csv: "),
    "an index of packages": (
        lambda m, _: m.update({"model/requirements.txt": b"--index-url http://127.0.0.1/evil\n"}),
        "holds model/requirements.txt with the line '--index-url http://127.0.0.1/evil'",
    ),
    "a package of an address": (
        lambda m, _: m.update({"files/requirements.txt": b"numpy @ http://127.0.0.1/evil.whl\n"}),
        "holds files/requirements.txt with the line 'numpy @ http://127.0.0.1/evil.whl'",
    ),
    "another's model": (
        lambda m, _: m.update({"files/x/MLmodel": b"flavors: {}"}),
        "contains 'files/x/MLmodel', which does not belong to an exported run",
    ),
    "a file that is a folder": (lambda m, _: m.update({"files/a": b"", "files/a/b": b""}), "cannot all be files"),
    "a file that grows": (
        lambda m, _: m.update({"files/zeros": bytes(30 << 20)}),
        "unpacks to more than 200 times its",
    ),
}


def test_what_mlflow_refuses_is_damage_of_the_run_and_not_of_the_store(
    parcel: Path, workplace: Path, capsys: pytest.CaptureFixture
) -> None:
    changed = edited(parcel, lambda _, record: record["params"].update({"a$": "1"}))
    Path("bad.zip").write_bytes(changed)
    assert cli.run(["import", "bad.zip"]) == 2
    err = capsys.readouterr().err
    assert "is damaged: record.json: Invalid value" in err and "cannot be used" not in err


@pytest.mark.parametrize("case", FORGED)
def test_what_a_run_says_of_itself_is_checked(
    parcel: Path, workplace: Path, case: str, capsys: pytest.CaptureFixture
) -> None:
    change, message = FORGED[case]
    Path("bad.zip").write_bytes(edited(parcel, change))
    assert cli.run(["import", "bad.zip"]) == 2
    err = capsys.readouterr().err
    assert message in err and err.startswith("recexp: bad.zip") and err.count("\n") == 1
    assert Archive(None).runs(complete=False) == []


def test_packages_that_recexp_does_not_need_are_not_installed(parcel: Path, workplace: Path) -> None:
    def change(members: dict[str, bytes], record: dict) -> None:
        members["model/requirements.txt"] += b"evil==1\n"
        members["model/conda.yaml"] = b"dependencies: [evil]\n"

    Path("run.zip").write_bytes(edited(parcel, change))
    assert cli.run(["import", "run.zip"]) == 0
    archive = Archive(None)
    (output,) = archive.client.get_run(archive.runs("away")[0].id).outputs.model_outputs
    folder = Path(archive.client.get_logged_model(output.model_id).artifact_location.removeprefix("file://"))
    assert "numpy==" in (folder / "requirements.txt").read_text()
    assert not [path for path in folder.iterdir() if path.is_file() and b"evil" in path.read_bytes()]


def test_limits_can_be_raised(
    parcel: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    Path("run.zip").write_bytes(edited(parcel, lambda m, _: m.update({"files/zeros": bytes(30 << 20)})))
    monkeypatch.setenv("RECEXP_LIMITS", "import_mib=20,ratio=10000")
    assert cli.run(["import", "run.zip"]) == 2
    assert "unpacks to more than 20 MiB; RECEXP_LIMITS=import_mib=N sets another limit" in capsys.readouterr().err
    monkeypatch.setenv("RECEXP_LIMITS", "ratio=10000")
    assert cli.run(["import", "run.zip"]) == 0
    monkeypatch.setenv("RECEXP_LIMITS", "import=20")
    assert cli.run(["import", "run.zip"]) == 2
    assert "RECEXP_LIMITS: must be NAME=WHOLE NUMBER" in capsys.readouterr().err
