"""A saved model's folder: all or nothing, plain data, and clear errors for whatever is wrong with it."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from recexp.algorithms.base import Recommender, silent
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.errors import ModelError
from recexp.models import saving
from recexp.params import params


@params
class Pair(Recommender):
    """A model made of others."""

    parts: dict[str, Recommender]

    def fit(self, train, *, rng, report=silent, validate=None):
        return self

    def score(self, queries):
        return np.zeros((len(queries), 1), np.float32)


ARRAYS = {"numbers": np.arange(6).reshape(2, 3), "names": np.array(["a", "bcd", ""], dtype=object)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saving.write(tmp_path / "model", {"note": "hello"}, ARRAYS)
    return tmp_path / "model"


def test_what_is_written_is_read(folder: Path) -> None:
    header, arrays = saving.read(folder)
    assert header["note"] == "hello"
    assert set(arrays) == set(ARRAYS)
    np.testing.assert_array_equal(arrays["numbers"], ARRAYS["numbers"])
    assert arrays["names"].dtype == object
    assert arrays["names"].tolist() == ["a", "bcd", ""]


def test_writing_again_replaces_and_leaves_nothing_beside(folder: Path) -> None:
    saving.write(folder, {"note": "again"}, {})
    assert saving.read(folder)[0]["note"] == "again"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_failed_write_leaves_the_old_model_and_no_half_one(folder: Path) -> None:
    with pytest.raises(TypeError):
        saving.write(folder, {"note": object()}, {})
    assert saving.read(folder)[0]["note"] == "hello"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_nothing_is_pickled(folder: Path) -> None:
    with zipfile.ZipFile(folder / "arrays.npz") as archive:
        kinds = {
            name: np.lib.format.read_array(archive.open(name), allow_pickle=False).dtype.kind
            for name in archive.namelist()
        }
    assert kinds == {"numbers.npy": "i", "names.npy": "U"}


@pytest.mark.parametrize("name", ["model.json", "arrays.npz"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        saving.read(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere is not a saved model"):
        saving.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content, message",
    [
        ("{", "corrupt"),
        ("[]", "corrupt"),
        ("{}", "has format None; this recexp reads formats 1 and 2"),
        ('{"format": 99}', "has format 99"),
        ('{"format": 1}', "corrupt.*sha256"),
        ('{"format": 1, "sha256": {}}', "corrupt.*arrays.npz"),
        ('{"format": 1, "sha256": "0"}', "corrupt"),
        ('{"format": 1, "sha256": {"arrays.npz": "0"}}', "checksum"),
    ],
)
def test_a_bad_header_is_a_clear_error(folder: Path, content: str, message: str) -> None:
    (folder / "model.json").write_text(content)
    with pytest.raises(ModelError, match=message):
        saving.read(folder)


def test_a_cut_off_file_is_a_clear_error(folder: Path) -> None:
    arrays = folder / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-20])
    with pytest.raises(ModelError, match="checksum"):
        saving.read(folder)


def test_pickled_arrays_are_refused_even_with_a_right_checksum(folder: Path) -> None:
    np.savez(folder / "arrays.npz", evil=np.array([{}], dtype=object))
    header = {"format": 1, "sha256": {"arrays.npz": saving._sha256(folder / "arrays.npz")}}
    (folder / "model.json").write_text(json.dumps(header))
    with pytest.raises(ModelError, match="corrupt"):
        saving.read(folder)


def packed() -> tuple[dict, dict]:
    model = EASE(l2=2.0)
    model.weights_ = np.eye(3, dtype=np.float32)
    model.sparse_ = sp.csr_array(np.array([[0, 1.5], [2, 0]]))
    model.count_ = 7
    model.mean_ = np.float32(0.5)
    model.parts_ = {"first": fitted_popularity(), "weights": [0.25, 0.75]}
    model._scratch = "not learned"
    return saving.pack(model, "m")


def test_what_would_be_lost_is_refused() -> None:
    model = EASE(l2=2.0)
    model.weights = np.eye(3, dtype=np.float32)
    with pytest.raises(
        ModelError, match=r"EASE: weights would be lost .*is called weights_, what need not be kept _weig"
    ):
        saving.pack(model, "m")


def test_packing_keeps_parameters_arrays_sparse_matrices_and_numbers() -> None:
    header, arrays = packed()
    header = json.loads(json.dumps(header))
    model = saving.unpack(header, arrays)
    assert type(model) is EASE
    assert model.l2 == 2.0
    assert model.count_ == 7 and model.mean_ == 0.5
    assert type(model.parts_["first"]) is Popularity and model.parts_["weights"] == [0.25, 0.75]
    np.testing.assert_array_equal(model.parts_["first"].counts_, [0, 1, 2])
    np.testing.assert_array_equal(model.weights_, np.eye(3))
    assert isinstance(model.sparse_, sp.csr_array)
    np.testing.assert_array_equal(model.sparse_.toarray(), [[0, 1.5], [2, 0]])
    assert not hasattr(model, "_scratch")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"class": "os:system"}, "not a Recommender"),
        ({"class": "pathlib:Path"}, "not a Recommender"),
        ({"class": "no_such_module:Model"}, "cannot be imported"),
        ({"class": "recexp.algorithms.linear.ease:Nothing"}, "cannot be imported"),
        ({"params": {"l2": -1.0}}, "corrupt.*l2"),
        ({"params": {"other": 1}}, "corrupt.*other"),
        ({"learned": {"weights_": {"$array": "gone"}}}, "corrupt.*gone"),
    ],
)
def test_only_a_recommender_with_right_parts_is_rebuilt(change: dict, message: str) -> None:
    header, arrays = packed()
    with pytest.raises(ModelError, match=f"(?s){message}"):
        saving.unpack({**header, **change}, arrays)


def fitted_popularity() -> Popularity:
    model = Popularity(half_life_days=None)
    model.counts_ = np.arange(3, dtype=np.float32)
    return model


def test_what_cannot_be_saved_is_named() -> None:
    model = fitted_popularity()
    model.set_ = {1, 2}
    with pytest.raises(ModelError, match=r"Popularity.set_: a set cannot be saved; .* is called _set$"):
        saving.pack(model, "p")


def test_parts_in_fields_are_saved_too() -> None:
    model = Pair(parts={"a": fitted_popularity(), "b": EASE(l2=2.0)})
    header, arrays = saving.pack(model, "h")
    again = saving.unpack(json.loads(json.dumps(header)), arrays)
    np.testing.assert_array_equal(again.parts["a"].counts_, [0, 1, 2])
    assert again.parts["b"].l2 == 2.0


def test_a_model_without_parameters_is_rebuilt() -> None:
    model = fitted_popularity()
    np.testing.assert_array_equal(saving.unpack(*saving.pack(model, "p")).counts_, [0, 1, 2])
