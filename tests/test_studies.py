"""Studies: each preset makes what its published numbers speak of."""

import csv
import gzip
import runpy
from pathlib import Path

import pytest
import yaml

from recexp.algorithms import Recommender
from recexp.config import compose, options, plain, use_config_dirs
from recexp.config.building import build
from recexp.datasets.base import Source
from recexp.splits.base import Splitter

STUDIES = sorted(path.parent for path in (Path(__file__).parent.parent / "experiments").glob("*/published.csv"))


@pytest.fixture(params=STUDIES, ids=lambda folder: folder.name)
def study(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECEXP_DATA", "somewhere")
    use_config_dirs([str(request.param)])
    yield request.param
    use_config_dirs([])


def jobs(study: Path) -> dict[str, tuple[str, dict]]:
    """Return the algorithm and the config of each job of a study's preset, by the file that makes it."""
    preset = compose([f"+experiment={study.name}"]).hydra.sweeper.params
    names = preset[f"+experiment/{study.name}"].split(",")
    assert set(names) == set(options(f"experiment/{study.name}")), "the preset runs all files of its folder"
    made = {name: compose([f"+experiment={study.name}", f"+experiment/{study.name}={name}"]) for name in names}
    return {name: (cfg.hydra.runtime.choices.algorithm, plain(cfg)) for name, cfg in made.items()}


def fits(config: dict, algorithm: str, word: str) -> bool:
    """Return whether a job has what an override says: `algorithm=ease`, `algorithm.l2=1000`."""
    key, _, value = word.partition("=")
    if key == "algorithm":
        return value == algorithm
    for part in key.split("."):
        config = config[part]
    is_number = isinstance(config, int | float) and not isinstance(config, bool)
    return config == (float(value) if is_number else yaml.safe_load(value))


def test_each_published_number_is_of_one_job_of_an_experiment_of_its_own(study: Path) -> None:
    made = jobs(study)
    with (study / "published.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    spoken_of = set()
    for line in lines:
        words = line["run"].split()
        found = [name for name, (chosen, config) in made.items() if all(fits(config, chosen, word) for word in words)]
        assert len(found) == 1, f"{line['model']}: {line['run']} is {found}"
        spoken_of.update(found)
        metric, _, cutoff = line["metric"].partition("_at_")
        _, config = made[found[0]]
        assert metric in config["evaluation"]["metrics"]
        assert not cutoff or int(cutoff) in config["evaluation"]["cutoffs"]
    assert spoken_of == set(made)
    assert {config["tracking"]["experiment"] for _, config in made.values()} == {study.name}


def test_presets_without_published_numbers_beside_them_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECEXP_DATA", "somewhere")
    folder = STUDIES[0].parent / "neural"
    use_config_dirs([str(folder)])
    try:
        for preset in (file.stem for file in (folder / "experiment").glob("*.yaml")):
            rows = sorted(file.stem for file in (folder / "experiment" / preset).glob("*.yaml"))
            for words in [[f"+experiment/{preset}={row}"] for row in rows] or [[]]:
                cfg = compose([f"+experiment={preset}", *words])
                assert cfg.tracking.experiment == preset
                assert "epochs" in cfg.algorithm or cfg.hydra.runtime.choices.algorithm in ("turbo_cf", "ease")
    finally:
        use_config_dirs([])


def test_sessions_are_written_as_presets_read_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of ten sessions holds out its last item; a prefix is a user of its own."""
    folder = STUDIES[0].parent / "sequential"
    for name, lines in {"train_sessions": ["1 2 3\n"] * 10, "test_prefixes": ["2 2\t1\n", "3\t2\n"]}.items():
        with gzip.open(tmp_path / f"{name}.txt.gz", "wt") as file:
            file.writelines(lines)
    (tmp_path / "sessions" / "tmall").mkdir(parents=True)
    write = runpy.run_path(str(folder / "prepare_sessions.py"))["write_split"]
    write(tmp_path, tmp_path / "sessions" / "tmall")
    monkeypatch.chdir(tmp_path)
    parts = [("tmall", "dataset"), ("tmall", "split"), ("diginetica", "split")]
    use_config_dirs([str(folder)])
    try:
        nodes = [plain(compose([f"+experiment={name}", "+experiment/sessions=stan"]))[key] for name, key in parts]
    finally:
        use_config_dirs([])
    assert nodes[1] == {**nodes[2], **{part: nodes[1][part] for part in ("test", "shown", "validation")}}
    (split,) = build(nodes[1], Splitter, "split").split(build(nodes[0], Source, "dataset").load())
    items, log = split.train.item_ids, split.queries.log
    asked = [items[log.items[start:stop]].tolist() for start, stop in zip(split.queries.start, split.queries.stop)]
    assert (asked, items[split.target.indices].tolist()) == ([[2, 2], [3]], [1, 2])
    assert split.queries.exclude is None and len(split.train.interactions) == 30
    (held,) = split.validation.queries.users
    assert items[split.validation.target.indices].tolist() == [3] and split.train.user_ids[held] == 9


def test_presets_of_sessions_compose() -> None:
    folder = STUDIES[0].parent / "sequential"
    use_config_dirs([str(folder)])
    try:
        for name in ("diginetica", "tmall"):
            preset = compose([f"+experiment={name}"]).hydra.sweeper.params["+experiment/sessions"].split(",")
            for row in preset:
                cfg = compose([f"+experiment={name}", f"+experiment/sessions={row}"])
                assert (cfg.hydra.runtime.choices.algorithm, cfg.tracking.experiment) == (row, name)
    finally:
        use_config_dirs([])


def test_models_of_the_study_of_cold_start_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = STUDIES[0].parent
    monkeypatch.chdir(folder.parent)
    monkeypatch.syspath_prepend(folder / "neural")
    study = runpy.run_path(str(folder / "cold_start" / "cold_start.py"))
    for table in ("NEW_USERS", "NEW_ITEMS", "FRIENDS", "LISTS"):
        assert all(isinstance(study["make"](words), Recommender) for words in study[table].values())
