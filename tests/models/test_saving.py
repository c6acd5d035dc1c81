"""A saved model's folder: all or nothing, plain data, and clear errors for whatever is wrong with it."""

import json
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from recexp import checksums, trust
from recexp.algorithms import Recommender
from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.errors import ModelError
from recexp.models import saving
from recexp.params import params


@params
class Pair(Recommender):
    """A model made of others."""

    parts: dict[str, Recommender]

    def fit(self, train, context=None):
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
    assert kinds == {"numbers.npy": "i", "names.npy": "u", "lengths of names.npy": "i"}


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
        ("{}", "has format None; this recexp reads formats 1 to 4"),
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
    header = {"format": 1, "sha256": {"arrays.npz": checksums.sha256(folder / "arrays.npz")}}
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
    with pytest.raises(ModelError, match=r"EASE: weights would be lost .*name it weights_ if fit learns it, or _weig"):
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
        ({"class": "os:system"}, "os.system is not part of recexp and its code is not trusted"),
        ({"class": "recexp.folders:Path"}, "not a Recommender"),
        ({"class": "no_such_module:Model"}, "add --trust no_such_module or set RECEXP_TRUST=no_such_module"),
        ({"class": "recexp.algorithms.linear.ease:Nothing"}, "cannot import recexp.algorithms.linear.ease.Nothing"),
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
    with pytest.raises(
        ModelError, match=r"Popularity.set_: a set cannot be saved; .* name it _set if it need not be saved$"
    ):
        saving.pack(model, "p")


def test_parts_in_fields_are_saved_too() -> None:
    model = Pair(parts={"a": fitted_popularity(), "b": EASE(l2=2.0)})
    header, arrays = saving.pack(model, "h")
    with trust.also([Pair]):
        again = saving.unpack(json.loads(json.dumps(header)), arrays)
    np.testing.assert_array_equal(again.parts["a"].counts_, [0, 1, 2])
    assert again.parts["b"].l2 == 2.0


def test_a_model_without_parameters_is_rebuilt() -> None:
    model = fitted_popularity()
    np.testing.assert_array_equal(saving.unpack(*saving.pack(model, "p")).counts_, [0, 1, 2])


def test_a_model_of_format_1_loads(tmp_path: Path) -> None:
    """As the version before wrote it, nested parts and a sparse matrix included."""
    arrays = {
        "m/learned/weights_": np.eye(3, dtype=np.float32),
        "m/learned/sparse_/data": np.array([1.5, 2.0]),
        "m/learned/sparse_/indices": np.array([1, 0], np.int32),
        "m/learned/sparse_/indptr": np.array([0, 1, 2], np.int32),
        "m/learned/parts_/first/learned/counts_": np.arange(3, dtype=np.float32),
        "names": np.array(["a", "bcd"]),
    }
    sparse = {part: {"$array": f"m/learned/sparse_/{part}"} for part in ("data", "indices", "indptr")}
    first = {
        "class": "recexp.algorithms.baselines.popularity:Popularity",
        "params": {"half_life_days": None},
        "learned": {"counts_": {"$array": "m/learned/parts_/first/learned/counts_"}},
    }
    learned = {
        "weights_": {"$array": "m/learned/weights_"},
        "sparse_": {"$sparse": sparse, "shape": [2, 2]},
        "parts_": {"first": {"$model": first}, "weights": [0.25, 0.75]},
        "mean_": 0.5,
    }
    model = {"class": "recexp.algorithms.linear.ease:EASE", "params": {"l2": 2.0}, "learned": learned}
    np.savez(tmp_path / "arrays.npz", allow_pickle=False, **arrays)
    header = {"format": 1, "sha256": {"arrays.npz": checksums.sha256(tmp_path / "arrays.npz")}, "model": model}
    (tmp_path / "model.json").write_text(json.dumps(header))
    header, arrays = saving.read(tmp_path)
    again = saving.unpack(header["model"], arrays)
    assert type(again) is EASE and (again.l2, again.mean_) == (2.0, 0.5)
    np.testing.assert_array_equal(again.weights_, np.eye(3))
    np.testing.assert_array_equal(again.sparse_.toarray(), [[0, 1.5], [2, 0]])
    np.testing.assert_array_equal(again.parts_["first"].counts_, [0, 1, 2])
    assert again.parts_["weights"] == [0.25, 0.75]
    assert arrays["names"].tolist() == ["a", "bcd"]


LOST = {
    "lookup_": (
        {(1, 2): 3},
        r"EASE\.lookup_: a dict with tuple keys cannot be saved; .* name it _lookup if it need not be saved$",
    ),
    "codes_": ({5: "a"}, r"EASE\.codes_: a dict with int keys"),
    "deep_": ({"a": [0, {1}]}, r"EASE\.deep_\[a\]\[1\]: a set"),
    "function_": (len, r"EASE\.function_: a builtin_function_or_method"),
    "mixed_": (np.array(["a", None], object), r"EASE\.mixed_: an array of objects other than text"),
    "masked_": (np.ma.masked_array([1, 2], [True, False]), r"EASE\.masked_: a masked array"),
    "complex_": (np.complex64(1), r"EASE\.complex_: a complex"),
    "weights": (np.eye(2), r"EASE: weights would be lost"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_cannot_be_saved_is_named_before_anything_is_written(name: str) -> None:
    value, message = LOST[name]
    model = EASE(l2=2.0)
    saving.check_savable(model)
    setattr(model, name, value)
    for refused in (saving.check_savable, lambda model: saving.pack(model, "m")):
        with pytest.raises(ModelError, match=message):
            refused(model)
    with pytest.raises(ModelError, match=message):
        saving.check_savable(Pair(parts={"a": model}))


def test_a_model_that_holds_itself_is_refused() -> None:
    model = Pair(parts={})
    model.me_ = [model]
    with pytest.raises(ModelError, match="Pair cannot be saved: it contains a circular reference"):
        saving.check_savable(model)


def test_checking_copies_no_array() -> None:
    model = EASE(l2=2.0)
    model.weights_ = np.lib.stride_tricks.as_strided(np.zeros(1), (10**7, 10**6), (0, 0))  # 80 TB, were it copied
    model.columns_ = sp.random_array((1000, 1000), density=0.1, format="csc")
    tracemalloc.start()
    began = time.perf_counter()
    saving.check_savable(model)
    assert time.perf_counter() - began < 0.1
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_tuples_and_keys_with_a_dollar_come_back_and_an_array_is_stored_once() -> None:
    model = EASE(l2=2.0)
    model.weights_ = np.arange(4.0)
    model.parts_ = {"$array": (1, ("a", None)), "$$": model.weights_, "twin": [fitted_popularity()] * 2}
    header, arrays = saving.pack(model, "m")
    again = saving.unpack(json.loads(json.dumps(header)), arrays)
    assert again.parts_["$array"] == (1, ("a", None))
    assert again.parts_["$$"] is again.weights_ and len(arrays) == 2
    assert again.parts_["twin"][0] is again.parts_["twin"][1]


HOARDER = """
import numpy as np
from pathlib import Path
from recexp.algorithms.base import Recommender
from recexp.params import params

@params
class Hoarder(Recommender):
    def fit(self, train, context=None):
        self.lookup_ = {(user, 0): user for user in range(3)}
        return self

    def score(self, queries):
        Path("scored").touch()
        return np.zeros((len(queries), queries.n_items), np.float32)
"""


def test_a_run_is_refused_right_after_fit_where_its_model_cannot_be_saved(inside: Callable, workplace: Path) -> None:
    (workplace / "hoarder.py").write_text(HOARDER)
    (workplace / "mine" / "algorithm").mkdir(parents=True)
    (workplace / "mine" / "algorithm" / "hoarder.yaml").write_text(
        "# keeps what it should not\n_target_: hoarder.Hoarder\n"
    )
    words = ("--config-dir", "mine", "dataset=electronics", "algorithm=hoarder")
    done = inside(*words)
    assert done.returncode == 2
    assert "recexp: Hoarder.lookup_: a dict with tuple keys cannot be saved" in done.stderr
    assert not (workplace / "scored").exists()
    assert inside(*words, "tracking.log_model=false").returncode == 0, "nobody wants to save it"
