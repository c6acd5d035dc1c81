"""Networks where PyTorch is not installed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking

ANSWERING = ["gmf", "lightgcn", "two_tower", "autorec"]
ASKING = {"mlp": "MLP", "multdae": "MultDAE"}
CHILD = """
import sys
sys.modules["torch"] = None
import numpy as np
from pathlib import Path
from recexp.errors import ConfigError
from recexp.models.fitted import FittedModel
for folder in map(Path, sys.argv[1:]):
    try:
        model = FittedModel.load(folder)
        np.save(folder / "scores.npy", model.recommend_many(model.user_ids[:5], 5)["score"])
    except ConfigError as error:
        print(error)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["algorithm=neumf"],
        ["algorithm=hybrid_weighted", "algorithm@algorithm.parts.cf=neumf"],
        ["algorithm=popularity", "algorithm@fallback=neumf"],
    ],
)
def test_one_line_says_what_to_install_before_data_are_read(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("recexp.datasets.base.Source.load", lambda _: pytest.fail("data were read"))
    with pytest.raises(ConfigError, match=r"^algorithm: NeuMF needs PyTorch.*; pip install 'recexp\[neural\]'$"):
        recexp.run(*words)


def test_a_fit_says_what_to_install(store: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    model = recexp.make("algorithm=gmf")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"^algorithm: GMF needs PyTorch"):
        model.fit(store)


def test_saved_models_are_loaded_and_answer_where_numpy_is_enough(store: Dataset, tmp_path: Path) -> None:
    ranking = Ranking.draw(store.n_items, None, rng=np.random.default_rng(1))
    fallback = recexp.make("algorithm=popularity").fit(store)
    expected = {}
    for name in [*ANSWERING, *ASKING]:
        model = recexp.make(f"algorithm={name}", "algorithm.epochs=1").fit(store)
        fitted = FittedModel.of(model, fallback, ranking, store, exclude_seen=True, block_mib=32)
        expected[name] = fitted.recommend_many(store.user_ids[:5], 5)["score"]
        fitted.save(tmp_path / name)
    folders = [tmp_path / name for name in expected]
    done = subprocess.run([sys.executable, "-c", CHILD, *folders], capture_output=True, text=True, check=True)
    for name in ANSWERING:
        assert np.load(tmp_path / name / "scores.npy") == pytest.approx(expected[name].to_numpy(), abs=1e-6)
    lines = done.stdout.splitlines()
    assert len(lines) == len(ASKING)
    for line, name in zip(lines, ASKING.values(), strict=True):
        assert line.startswith(f"algorithm: {name} needs PyTorch, which is not installed; pip install")
