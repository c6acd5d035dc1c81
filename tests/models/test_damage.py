"""A saved model whose checksum fits may still hold anything: it is refused in one line, before memory is taken."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recexp as library
from recexp import checksums, cli
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.data import Column, Dataset, Interactions
from recexp.errors import ModelError
from recexp.models import saving
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking


def fitted(model: Any, users: list) -> FittedModel:
    """A model of 3 users and 5 items."""
    codes = np.array([(0, 0), (0, 1), (1, 0), (1, 2), (2, 0), (2, 3)], np.int32).T.copy()
    log = Interactions(codes[0], codes[1], np.ones(6, np.float32), n_users=3, n_items=5)
    kinds = {"kind": Column.category(["a", "b", "a", None, "b"]), "tags": Column.multi_category([["a"]] * 5)}
    train = Dataset("three", log, np.array(users, object), np.arange(10, 15), items=kinds)
    popular = Popularity(half_life_days=None).fit(train)
    ranking = Ranking(np.arange(5, dtype=np.int32), np.ones(5, bool))
    return FittedModel.of(model.fit(train), popular, ranking, train, exclude_seen=True, block_mib=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fitted(EASE(l2=1.0), ["a", "b", "c"]).save(tmp_path / "model")
    return tmp_path / "model"


def sign(folder: Path, header: Callable[[dict], Any] = lambda header: None) -> None:
    """Change the description, and write the checksum of the arrays that there are."""
    described = json.loads((folder / "model.json").read_text())
    header(described)
    described["sha256"]["arrays.npz"] = checksums.sha256(folder / "arrays.npz")
    (folder / "model.json").write_text(json.dumps(described))


def change(folder: Path, header: Callable[[dict], Any] = lambda header: None, **arrays: Any) -> None:
    """Write other content with the right checksum."""
    with np.load(folder / "arrays.npz") as stored:
        content = {name: stored[name] for name in stored.files}
    content |= arrays
    np.savez(folder / "arrays.npz", **content)
    sign(folder, header)


def refused(folder: Path, match: str) -> None:
    tracemalloc.start()
    with pytest.raises(ModelError, match=match) as caught:
        FittedModel.load(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6 and len(str(caught.value).splitlines()) == 1


def member(shape: str, dtype: str, data: bytes = b"") -> bytes:
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (64 - (len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data


@pytest.mark.parametrize(
    ("shape", "dtype", "data"),
    [
        ("(1000000000000,)", "<f4", b""),
        ("(1000000, 1000000)", "<f8", b"\0" * 800),
        ("(1000000000000, 0)", "<f4", b""),
        ("(1000000000000,)", "<U0", b""),
        ("(3,)", "<U1000000000", b"\0" * 12),
        ("(3,)", "|O", b"\0" * 24),
        ("(1,)", "<f4", b"\0" * 8),
        ("(-1,)", "<f4", b"\0" * 4),
    ],
)
def test_shapes_are_held_against_the_size_of_the_file(folder: Path, shape: str, dtype: str, data: bytes) -> None:
    with zipfile.ZipFile(folder / "arrays.npz", "a") as archive:
        archive.writestr("more.npy", member(shape, dtype, data))
    sign(folder)
    refused(folder, "model is a corrupt model: ")


def test_what_unpacks_to_more_than_the_file_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(10**6))
        archive.writestr("user_ids.npy", buffer.getvalue())
    sign(folder)
    refused(folder, "its arrays would unpack to more than its .* bytes")


ARRAYS = {
    "trained of another size": ({"trained": np.ones(2, bool)}, r"trained is bool \(2,\), not bool \(3,\)"),
    "ties as decimals": ({"ties": np.arange(5.0)}, r"ties is float64 \(5,\), not int32 \(5,\)"),
    "catalogue of another size": ({"catalogue": np.ones(4, bool)}, r"catalogue is bool \(4,\), not bool \(5,\)"),
    "ids in rows and columns": ({"item_ids": np.zeros((5, 1), int)}, "item_ids are int64"),
    "ids as decimals": ({"item_ids": np.arange(5.0)}, "item_ids are float64"),
    "codes outside": ({"known.items": np.full(6, 5, np.int32)}, "interactions.items holds codes outside 0..4"),
    "rows of another type": ({"known.users": np.zeros(6)}, "interactions.users must be int32"),
    "titles of other items": ({"titles": np.arange(5)}, "titles is int64"),
    "categories outside": (
        {"category.0.codes": np.full(5, 2, np.int32)},
        "category column 0 does not describe 5",
    ),
    "categories of fewer items": ({"category.0.codes": np.zeros(4, np.int32)}, "category column 0 does not describe"),
    "lists that end outside": ({"category.1.offsets": np.array([0, 1, 2, 3, 4, 9])}, "category column 1 does not"),
    "texts of another length": (
        {"lengths of user_ids": np.array([1, 1, 9])},
        "its texts do not have the declared lengths",
    ),
    "texts of negative length": (
        {"lengths of user_ids": np.array([-1, 2, 2])},
        "its texts do not have the declared lengths",
    ),
    "texts that are no UTF-8": ({"user_ids": np.array([97, 98, 255], np.uint8)}, "utf-8"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_another_kind_are_refused(folder: Path, name: str) -> None:
    arrays, message = ARRAYS[name]
    change(folder, **arrays)
    refused(folder, f"model is a corrupt model: .*{message}")


HEADERS = {
    "no block": ({"block_mib": 0}, "block_mib must be a whole number from 1"),
    "block is text": ({"block_mib": "1"}, "block_mib must be a whole number"),
    "block is true": ({"block_mib": True}, "block_mib must be a whole number"),
    "seen is text": ({"exclude_seen": "no"}, "exclude_seen must be true or false"),
    "explicit is a number": ({"explicit": 1}, "explicit must be true or false"),
    "texts are a list": ({"texts": ["user_ids"]}, "corrupt"),
    "texts of another shape": ({"texts": {"user_ids": [4]}}, "corrupt"),
    "texts that are not there": ({"texts": {"names": [3]}}, "corrupt"),
    "model is a list": ({"model": []}, "corrupt"),
    "model is a number": ({"model": 5}, "corrupt"),
    "fallback is null": ({"fallback": None}, "corrupt"),
    "NaN": ({"note": float("nan")}, "a model that learned NaN"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_another_kind_are_refused(folder: Path, name: str) -> None:
    changed, message = HEADERS[name]
    change(folder, lambda header: header.update(changed))
    refused(folder, message)


SMALLER = {"svd": ["algorithm.factors=2"], "bpr": ["algorithm.factors=2"], "gf_cf": ["algorithm.factors=2"]}
LEARNED = {
    "a method": {"score": 5},
    "a method's name with a sign": {"recommend": "x"},
    "a field": {"l2": -5.0},
    "a class": {"__class__": "x"},
    "a private one": {"_parts": 1},
    "deeper than Python goes": {"weights_": json.loads("[" * 900 + "]" * 900)},
    "what is not there": {"weights_": {"$same": 7}},
    "a matrix that is none": {"weights_": {"$sparse": 1, "shape": [1, 1]}},
}


@pytest.mark.parametrize("name", LEARNED)
def test_what_cannot_be_learned_is_refused(folder: Path, name: str) -> None:
    change(folder, lambda header: header["model"]["learned"].update(LEARNED[name]))
    refused(folder, "corrupt")


def test_json_deeper_than_python_goes_is_refused(folder: Path) -> None:
    (folder / "model.json").write_text('{"a":' * 10**5)
    refused(folder, "model is a corrupt model")
    (folder / "model.json").write_bytes(b'{"format": "\xff"}')
    refused(folder, "model is a corrupt model")
    (folder / "model.json").write_text('{"format": ' + "9" * 5000 + "}")
    refused(folder, "model is a corrupt model")


def test_learned_numbers_that_are_nan_are_refused(folder: Path) -> None:
    with np.load(folder / "arrays.npz") as stored:
        name = next(name for name in stored.files if name.startswith("model/learned"))
        array = stored[name].copy()
    array.flat[-1] = np.nan
    change(folder, **{name: array})
    refused(folder, f"the saved model is corrupt: {name.rpartition('/')[2]} holds NaN, so the model cannot rank")


def test_a_model_that_learned_nan_is_not_saved(tmp_path: Path) -> None:
    model = fitted(EASE(l2=1.0), ["a", "b", "c"])
    model.model.nested_ = {"a": [np.array([1.0, np.nan])]}
    for refuse in (lambda: saving.check_savable(model.model), lambda: model.save(tmp_path / "model")):
        with pytest.raises(ModelError, match="EASE: nested_/a/0 holds NaN, so the model cannot rank"):
            refuse()
    model.model.nested_ = {"a": [float("nan")]}
    with pytest.raises(ModelError, match="a model that learned NaN"):
        model.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("part", ["indices", "indptr"])
def test_sparse_weights_do_not_point_outside(tmp_path: Path, part: str) -> None:
    fitted(library.make("algorithm=item_knn"), ["a", "b", "c"]).save(tmp_path / "model")
    with np.load(tmp_path / "model" / "arrays.npz") as stored:
        name = next(name for name in stored.files if name.startswith("model/") and name.endswith(part))
        array = stored[name].copy()
    array[-1] = 10**6
    change(tmp_path / "model", **{name: array})
    refused(tmp_path / "model", "entries outside of it")


@pytest.mark.parametrize("option", ["ease", "item_knn", "svd", "bpr", "gf_cf"])
def test_what_was_learned_of_other_sizes_reads_no_memory_behind_it(tmp_path: Path, option: str) -> None:
    fitted(library.make(f"algorithm={option}", *SMALLER.get(option, ())), ["a", "b", "c"]).save(tmp_path / "model")
    model = FittedModel.load(tmp_path / "model")
    for name, value in vars(model.model).items():
        if name.endswith("_") and getattr(value, "ndim", 0) == 2:
            setattr(model.model, name, value[:-1] if isinstance(value, np.ndarray) else value[:-1, :-1])
    with pytest.raises((ValueError, IndexError)):
        model.recommend("a")


@pytest.mark.parametrize("weights", [np.ones((2, 2), np.float32), np.ones(5, np.float32), np.ones((5, 5, 1))])
def test_a_model_that_gives_no_list_is_a_wrong_input(
    folder: Path, capsys: pytest.CaptureFixture, weights: np.ndarray
) -> None:
    with np.load(folder / "arrays.npz") as stored:
        name = next(name for name in stored.files if name.startswith("model/learned"))
    change(folder, **{name: weights})
    assert cli.run(["recommend", str(folder), "a"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"recexp: {folder}: the model cannot make a list: ")


def test_texts_take_what_they_are_long(tmp_path: Path) -> None:
    users = ["x" * 50_000, "", "u\0", "\U0001f600\ud800"]
    arrays = {"names": np.array([*users, *map(str, range(3000))], object), "table": np.array([["a", "bc"]], object)}
    saving.write(tmp_path / "model", {}, arrays)
    assert (tmp_path / "model" / "arrays.npz").stat().st_size < 100_000
    again = saving.read(tmp_path / "model")[1]
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == object and again[name].tolist() == array.tolist()
