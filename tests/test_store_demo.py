"""The store's demo: one command runs four models on the same data, shows five products of each, and compares them."""

import re
from collections.abc import Callable

from recexp.config import compose, plain

MODELS = {
    "item_knn": "ItemKNN",
    "content_based": "ContentBased",
    "nmf": "NMF",
    "hybrid_weighted": "HybridWeighted",
}


def test_each_model_is_set_as_the_demo_says() -> None:
    parts = {name: plain(compose(["+experiment=store_demo", f"+experiment/store_demo={name}"])) for name in MODELS}
    for name, cls in MODELS.items():
        assert parts[name]["algorithm"]["_target_"].endswith(cls)
        assert parts[name]["split"] == {**parts[name]["split"], "test_ratio": 0.2}
        evaluation = parts[name]["evaluation"]
        assert (evaluation["relevant_from"], evaluation["cutoffs"]) == (None, [10])
    assert parts["content_based"]["algorithm"]["feature_columns"] == ["category", "brand", "price", "description"]
    assert parts["nmf"]["algorithm"]["factors"] == 20
    hybrid = parts["hybrid_weighted"]["algorithm"]
    assert hybrid["weights"] == {"cf": 0.7, "mf": 0.3}
    assert hybrid["parts"] == {"cf": parts["item_knn"]["algorithm"], "mf": parts["nmf"]["algorithm"]}


def test_one_command_runs_shows_and_compares_all_four(inside: Callable, runs: Callable) -> None:
    done = inside("+experiment=store_demo", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    found = {run.data.tags["algorithm"]: run.data for run in runs()}
    assert set(found) == set(MODELS)
    assert (
        len({run.tags["recexp.protocol"] for run in found.values()})
        == len({r.tags["sweep"] for r in found.values()})
        == 1
    )
    products = re.findall(r"^  \w+ \w+ .+ \((\d+)\): -?\d", done.stdout, re.MULTILINE)
    assert len(products) == 5 * len(MODELS)
    assert all(len(set(products[at : at + 5])) == 5 for at in range(0, 20, 5))
    table = done.stdout[done.stdout.rindex("precision@10") :]
    for name, run in found.items():
        assert run.tags["recexp.complete"] == "true"
        values = [run.metrics[f"test/{metric}_at_10"] for metric in ("precision", "recall")]
        assert min(values) > 0 and max(values) < 1
        assert re.search(rf"{name} .*" + r".*".join(f"{value:.4f}" for value in values), table), table
    assert found["item_knn"].metrics["test/recall_at_10"] > 0.05, "chance gives 0.02"
    assert found["content_based"].metrics["test/recall_at_10"] > 0.05
