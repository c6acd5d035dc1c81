"""MovieLens: found where it lies, the same from every copy, with the published counts."""

import logging
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

import recexp
from recexp.datasets import movielens
from recexp.errors import DataError
from recexp.testing import check_dataset

RATINGS = "1::1193::5::978300760\n1::661::3::978302109\n2::1193::4::978298413\n"
USERS = "1::F::1::10::48067\n2::M::56::16::70072\n"
MOVIES = (
    "661::James: and the Giant Peach (1996)::Animation|Musical\n1193::Café Noir (1975)::Drama\n5::Unseen (1999)::War\n"
)


def write_1m(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in (("ratings.dat", RATINGS), ("users.dat", USERS), ("movies.dat", MOVIES)):
        (folder / name).write_text(text, encoding="latin-1")


def pack(folder: Path, archive: Path, prefix: str) -> None:
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.iterdir():
            file.write(path, f"{prefix}{path.name}")


def test_rows_and_features_of_1m(tmp_path: Path, cache: Path) -> None:
    write_1m(tmp_path / "any")
    source = recexp.make("dataset=movielens_1m", f"dataset.root={tmp_path / 'any'}")
    check_dataset(source)
    data = source.load()
    assert data.user_ids.tolist() == [1, 2] and data.item_ids.tolist() == [661, 1193]
    assert data.interactions.users.tolist() == [0, 0, 1] and data.interactions.items.tolist() == [1, 0, 1]
    assert data.interactions.values.tolist() == [5, 3, 4] and data.interactions.explicit
    assert data.interactions.timestamps.tolist() == [978300760, 978302109, 978298413]
    assert data.items["title"].values.tolist() == ["James: and the Giant Peach", "Café Noir"]
    assert data.items["year"].values.tolist() == [1996, 1975]
    assert data.items["genres"].categories == ("Animation", "Drama", "Musical", "War")
    np.testing.assert_array_equal(data.items["genres"].indicators().toarray(), [[1, 0, 1, 0], [0, 1, 0, 0]])
    assert data.users["age"].values.tolist() == [1, 56] and data.users["gender"].categories == ("F", "M")


@pytest.mark.parametrize("variable", [None, "RECEXP_DATA", "RECEXP_CACHE"])
@pytest.mark.parametrize(
    ("place", "prefix"), [("ml-1m", None), (".", None), ("ml-1m", "ml-1m/"), (".", "ml-1m/"), ("ml-1m", "")]
)
def test_files_are_found_packed_or_not(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None, place: str, prefix: str | None
) -> None:
    write_1m(tmp_path / "files")
    root = cache if variable == "RECEXP_CACHE" else tmp_path / "root"
    if prefix is None:
        shutil.copytree(tmp_path / "files", root / place)
    else:
        (root / place).mkdir(parents=True)
        pack(tmp_path / "files", root / place / "ml-1m.zip", prefix)
    if variable == "RECEXP_DATA":
        monkeypatch.setenv(variable, str(root))
    source = recexp.make("dataset=movielens_1m", f"dataset.root={'null' if variable else root}")
    source.check()
    assert source.location().is_relative_to(root)
    assert len(source.load().interactions) == 3


def test_root_may_be_the_archive(tmp_path: Path, cache: Path) -> None:
    write_1m(tmp_path / "files")
    pack(tmp_path / "files", tmp_path / "other.zip", "ml-1m/")
    assert len(recexp.make("dataset=movielens_1m", f"dataset.root={tmp_path / 'other.zip'}").load().interactions) == 3


def test_a_root_without_the_files_is_refused_and_nothing_downloaded(tmp_path: Path, cache: Path) -> None:
    source = recexp.make("dataset=movielens_1m", f"dataset.root={tmp_path}")
    with pytest.raises(DataError, match=r"dataset.root: .* holds neither ratings.dat nor ml-1m.zip"):
        source.check()
    assert not cache.exists()


def test_malformed_files_are_named(tmp_path: Path, cache: Path) -> None:
    write_1m(tmp_path / "ml-1m")
    (tmp_path / "ml-1m" / "movies.dat").write_text("661\tJames\n")
    with pytest.raises(DataError, match="its files do not match ml-1m"):
        recexp.make("dataset=movielens_1m", f"dataset.root={tmp_path}").load()


@pytest.mark.parametrize(
    ("name", "rows", "users", "items", "ratings", "times"),
    [
        ("movielens_100k", 100_000, 943, 1682, {1, 2, 3, 4, 5}, (874724710, 893286638)),
        ("movielens_1m", 1_000_209, 6040, 3706, {1, 2, 3, 4, 5}, (956703932, 1046454590)),
        ("movielens_small", 100_004, 671, 9066, {0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5}, None),
    ],
)
def test_published_counts(
    shared: Path, name: str, rows: int, users: int, items: int, ratings: set[float], times: tuple[int, int] | None
) -> None:
    data = recexp.make(f"dataset={name}").load()
    log = data.interactions
    assert (len(log), data.n_users, data.n_items) == (rows, users, items)
    assert set(np.unique(log.values).tolist()) == ratings and log.explicit
    if times is not None:
        assert (log.timestamps.min(), log.timestamps.max()) == times
    assert all(data.items["title"].values) and np.nanmin(data.items["year"].values) > 1890


def test_rating_counts_and_people_of_1m(shared: Path) -> None:
    data = recexp.make("dataset=movielens_1m").load()
    assert np.bincount(data.interactions.values.astype(int)).tolist() == [0, 56174, 107557, 261197, 348971, 226310]
    assert np.bincount(data.users["gender"].values).tolist() == [1709, 4331]  # F, M


@pytest.fixture
def originals(shared: Path) -> dict[str, list[str]]:
    """The lines of the files of MovieLens 100K."""
    archive = zipfile.ZipFile(shared / "ml-100k" / "ml-100k.zip")
    names = ("u.data", "u.user", "u.item", "u.genre")
    return {name: archive.read(f"ml-100k/{name}").decode("latin-1").splitlines() for name in names}


def test_the_copy_in_a_wheel_is_the_same_data(
    shared: Path,
    originals: dict[str, list[str]],
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The copy is written here from the original files as it stands in the real wheel, misspelling included."""
    wheel = tmp_path / "recbole.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        write_recbole(file, originals)
    monkeypatch.setattr(movielens, "fetch_wheel", lambda requirement, folder: wheel)
    source = recexp.make("dataset=movielens_100k", "dataset.url=http://127.0.0.1:9/ml-100k.zip")
    assert source.location() is None
    with caplog.at_level(logging.INFO):
        copy = source.load()
    assert "research use" in caplog.text and "trying the copy in the wheel of recbole==1.2.1" in caplog.text
    original = recexp.make("dataset=movielens_100k", f"dataset.root={shared}").load()
    assert copy.fingerprint == original.fingerprint
    wheel.unlink()
    assert source.load().fingerprint == original.fingerprint  # from the cache, without a download
    assert source.location().is_relative_to(cache)


def write_recbole(file: zipfile.ZipFile, lines: dict[str, list[str]], *, change: bool = False) -> None:
    folder, genres = "recbole/dataset_example/ml-100k", [line.split("|")[0] for line in lines["u.genre"] if line]
    items = ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"]
    for line in lines["u.item"]:
        item, title, *_, flags = line.split("|", 5)
        named = " ".join(genre for genre, flag in zip(genres, flags.split("|")) if flag == "1")
        start, _, year = title.strip().rpartition(" (")
        whole = (start, year.rstrip(")")) if start else ("unkonwn", "unkonwn")
        items.append("\t".join((item, *whole, named)))
    users = ["user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token"]
    users += [line.replace("|", "\t") for line in lines["u.user"]]
    rows = ["user_id:token\titem_id:token\trating:float\ttimestamp:float", *lines["u.data"]]
    for ending, content in (("inter", rows[:-1] + rows[1:2] if change else rows), ("user", users), ("item", items)):
        file.writestr(f"{folder}/ml-100k.{ending}", "\n".join(content) + "\n")


def test_a_copy_with_other_rows_is_refused(
    originals: dict[str, list[str]], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "recbole.whl", "w") as file:
        write_recbole(file, originals, change=True)
    monkeypatch.setattr(movielens, "fetch_wheel", lambda requirement, folder: tmp_path / "recbole.whl")
    source = recexp.make("dataset=movielens_100k", "dataset.url=http://127.0.0.1:9/ml-100k.zip")
    with pytest.raises(DataError, match="its copy of MovieLens 100K has different rows"):
        source.load()
    assert [path.name for path in cache.iterdir() if not path.name.endswith(".lock")] == []
