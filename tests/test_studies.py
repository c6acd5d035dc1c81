"""Studies: each preset makes what its published numbers speak of."""

import csv
from pathlib import Path

import pytest
import yaml

from recexp.config import compose, options, plain, use_config_dirs

STUDIES = sorted(path.parent for path in (Path(__file__).parent.parent / "experiments").glob("*/published.csv"))


@pytest.fixture(params=STUDIES, ids=lambda folder: folder.name)
def study(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEXP_DATA", "somewhere")
    use_config_dirs([str(request.param)])
    yield request.param
    use_config_dirs([])


def models(study: Path) -> dict[str, dict]:
    """Return the config of each job of a study's preset, by the file that makes it."""
    preset = compose([f"+experiment={study.name}"]).hydra.sweeper.params
    names = preset[f"+experiment/{study.name}"].split(",")
    assert set(names) == set(options(f"experiment/{study.name}")), "the preset runs all files of its folder"
    return {
        name: plain(compose([f"+experiment={study.name}", f"+experiment/{study.name}={name}"])) for name in names
    }  # fmt: skip


def fits(config: dict, algorithm: str, word: str) -> bool:
    """Return whether a job has what an override says: `algorithm=ease`, `algorithm.l2=1000`."""
    key, _, value = word.partition("=")
    if key == "algorithm":
        return value == algorithm
    for part in key.split("."):
        config = config[part]
    is_number = isinstance(config, int | float) and not isinstance(config, bool)
    return config == (float(value) if is_number else yaml.safe_load(value))


def test_each_published_number_is_of_one_job(study: Path) -> None:
    made = models(study)
    chosen = {
        name: compose([f"+experiment={study.name}", f"+experiment/{study.name}={name}"]).hydra.runtime.choices.algorithm
        for name in made
    }
    with (study / "published.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    spoken_of = set()
    for line in lines:
        words = line["run"].split()
        found = [name for name, config in made.items() if all(fits(config, chosen[name], word) for word in words)]
        assert len(found) == 1, f"{line['model']}: {line['run']} is {found}"
        spoken_of.update(found)
        metric, _, cutoff = line["metric"].partition("_at_")
        assert metric in made[found[0]]["evaluation"]["metrics"]
        assert not cutoff or int(cutoff) in made[found[0]]["evaluation"]["cutoffs"]
    assert spoken_of == set(made)


def test_a_studys_runs_belong_to_an_experiment_of_its_own(study: Path) -> None:
    assert {config["tracking"]["experiment"] for config in models(study).values()} == {study.name}
