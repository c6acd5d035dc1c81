"""Wrong configuration: one clear line per mistake, exit code 2, nothing run, nothing left behind."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from pydoc import locate

import pytest
import yaml

import recexp
from recexp.algorithms.base import Recommender
from recexp.class_names import current_name
from recexp.config import compose, groups, options, plain
from recexp.config.building import build
from recexp.config.experiments import experiment
from recexp.errors import ConfigError
from recexp.runners.offline import Offline

WRONG = {
    "unknown key": (["algorithm.l22=3"], "algorithm.l22: unknown; did you mean l2? allowed: l2"),
    "key of another option": (
        ["algorithm.k=3"],
        "algorithm.k: unknown; allowed: l2; it is a key of algorithm=content_knn, ",
    ),
    "unknown key, added": (["+algorithm.l22=3"], "algorithm.l22: unknown; did you mean l2? allowed: l2"),
    "unknown option": (["algorithm=esae"], "algorithm: unknown option esae; did you mean ease? allowed: "),
    "out of range": (["algorithm.l2=-1"], "algorithm.l2: must be greater than 0 (got -1)"),
    "wrong type": (["algorithm.l2=much"], "algorithm.l2: must be a valid number (got 'much')"),
    "text for a number": (["algorithm.l2='3'"], "algorithm.l2: must be a valid number (got '3')"),
    "not a number": (["algorithm.l2=nan"], "algorithm.l2: must be "),
    "seed": (["seed=one"], "seed: must be an integer from 0 (got 'one')"),
    "switch": (["refit=3"], "runner.refit: must be true or false (got 3)"),
    "top level": (["+sed=1"], "sed: unknown; did you mean seed? allowed: seed"),
    "metric": (["evaluation.metrics=[ndgc]"], "evaluation.metrics: unknown option ndgc; did you mean ndcg? allowed: "),
    "cut-offs": (["evaluation.cutoffs=[0]"], "evaluation.cutoffs.0: must be greater than or equal to 1 (got 0)"),
    "target of no kind": (
        ["algorithm._target_=recexp.folders.Path"],
        "algorithm._target_: recexp.folders.Path is not derived from Recommender",
    ),
    "target that is not there": (
        ["algorithm._target_=recexp.no.Such"],
        "algorithm._target_: cannot import recexp.no.Such: ",
    ),
    "target of somebody's": (
        ["algorithm._target_=os.system"],
        "algorithm._target_: os.system is not part of recexp and its code is not trusted; if you trust it, add "
        "--trust os or set RECEXP_TRUST=os",
    ),
    "target that is no name": (
        ["algorithm._target_='..x'"],
        "algorithm._target_: must be the dotted name of a class, such as package.module.Class (got '..x')",
    ),
    "missing value": (["dataset=files"], "dataset.interactions: is missing; set dataset.interactions=..."),
    "dictionary that merges nothing": (
        ["algorithm=hybrid_weighted", "algorithm.parts={}"],
        "algorithm.parts={}: an empty dictionary changes nothing; remove an entry with ~KEY",
    ),
    "no list": (["evaluation.cutoffs=10"], "evaluation.cutoffs: must be a valid list, for example [10] (got 10)"),
    "no option": (["algorithm="], "algorithm: unknown option ''; allowed: active_items, als, "),
    "several options": (
        ["dataset=movielens"],
        "dataset: unknown option movielens; did you mean movielens_100k or movielens_1m or movielens_small?",
    ),
    "a word": (["seed"], "seed: unknown; allowed: "),
    "a group": (["algorithm"], "algorithm: `recexp algorithm --help` lists the options; algorithm=NAME"),
    "a preset": (["experiment"], "experiment: `recexp experiment --help` lists the options; +experiment=NAME"),
    "an open mapping": (["logging.levels.splits=debug"], "logging.levels.splits: unknown; +logging.levels.splits=..."),
    "a key that some jobs lack": (
        ["-m", "algorithm=gmf,ease,als", "seed=1,2", "algorithm.epochs=3"],
        "algorithm.epochs: unknown with algorithm=ease, algorithm=als; sweep these without it",
    ),
    "a key that some jobs of a glob lack": (
        ["-m", "algorithm=glob(bp*,exclude=x)", "algorithm.layers=3"],
        "algorithm.layers: unknown with algorithm=bpr; sweep these without it",
    ),
    "a key that no job has": (
        ["-m", "algorithm=gmf", "seed=1,2", "algorithm.epoch=3"],
        "algorithm.epoch: unknown; did you mean epochs? allowed: ",
    ),
    "a glob of nothing": (["-m", "algorithm=glob(knnn*)"], "the sweep has no jobs: glob(...) matches no option that"),
    "several": (["algorithm.l2=-1", "+algorithm.x=1"], "algorithm.l2: must be greater than 0 (got -1)"),
    "level": (
        ["logging.level=loud"],
        "logging level of recexp: must be debug, info, warning, error or critical (got 'loud')",
    ),
    "a key inside a list": (
        ["evaluation.metrics.ndcg=1"],
        "override the whole list, key=[...]: evaluation.metrics.ndcg=1",
    ),
    "a key of a step of a filter": (
        ["filter=k_core", "filter.steps.4.peruser=10"],
        "filter.steps.4.peruser: unknown; did you mean per_user? allowed: per_user, per_item",
    ),
    "syntax": (
        ["algorithm.l2=[1"],
        "algorithm.l2: the value cannot be read (no viable alternative at input '[1'); quote text with such "
        "characters, within the shell quotes: 'algorithm.l2=\"[1\"'",
    ),
    "letters beyond ASCII": (
        ["dataset=files", "dataset.interactions=/tmp/Müller/r.csv"],
        "dataset.interactions: the value cannot be read; quote text with such characters, within the shell quotes: "
        "'dataset.interactions=\"/tmp/Müller/r.csv\"'",
    ),
    "signs in a path": (
        ["dataset=files", "dataset.interactions=/tmp/a#b,c.csv"],
        "dataset.interactions: the value cannot be read",
    ),
    "no key": (["a b=3"], "a b=3: cannot be read; an override is key=value, such as seed=3"),
    "an interpolation of nothing": (["algorithm.l2='${a.b}'"], "algorithm.l2: Interpolation key 'a.b' not found"),
    "an interpolation of no variable": (["algorithm.l2='${oc.env:NO_SUCH}'"], "algorithm.l2: KeyError raised while"),
    "an interpolation of itself": (["algorithm.l2='${algorithm.l2}'"], "algorithm.l2: Recursive interpolation"),
    "a resolver that is none": (["algorithm.l2='${nope:1}'"], "algorithm.l2: Unsupported interpolation type nope"),
    **{
        f"without {name}": ([f"~{name}"], f"{name}: is required in every config; remove ~{name}")
        for name in ("seed", "tracking", "logging", "debug", "runner")
    },
    **{f"without {name}": ([f"~{name}"], f"{name}: choose one with {name}=") for name in ("split", "dataset")},
    "logging of nothing": (["logging.levels=3"], "logging.levels: must be levels by name"),
    "a log that is no file": (["logging.file=[1]"], "logging.file: must be a path or null (got [1])"),
    "no port": (
        ["tracking.uri='http://127.0.0.1:99999'"],
        "tracking.uri: http://127.0.0.1:99999 is not a valid address; use",
    ),
    "no host": (
        ["tracking.uri='http://[::1'"],
        "tracking.uri: http://[::1 is not a valid address; use http://HOST:PORT",
    ),
    "a password with a slash": (
        ["tracking.uri='http://me:S3/x@h:1'"],
        "tracking.uri: http://***@h:1 is not a valid address",
    ),
    "a long value": (
        [f"algorithm.l2={'x' * 5000}"],
        f"algorithm.l2: must be a valid number (got '{'x' * 99} ... (5,00",
    ),
}


@pytest.mark.parametrize(("overrides", "message"), WRONG.values(), ids=WRONG.keys())
def test_command_line_says_what_is_wrong(
    inside: Callable, runs: Callable, workplace: Path, overrides: list[str], message: str
):
    done = inside(*overrides)
    assert done.returncode == 2, done.stderr
    assert f"recexp: {message}" in done.stderr
    assert "Traceback" not in done.stderr
    assert runs() == []
    assert {path.name for path in workplace.iterdir()} <= {"mlflow.db", "mlflow.db.lock"}


def test_debug_shows_the_traceback(recexp: Callable) -> None:
    done = recexp("algorithm.l2=-1", "debug=true")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "recexp: algorithm.l2: must be greater than 0 (got -1)"


@pytest.mark.parametrize("group", [g for g in groups() if g not in ("experiment", "hydra", "search", "runner")])
def test_every_yaml_says_what_it_is(group: str) -> None:
    for name, path in options(group).items():
        first = path.read_text().splitlines()[0]
        assert first.startswith("# ") and len(first) > 10, f"{group}/{name} does not begin with a sentence about itself"


BUILT = {*Offline.components, "runner", "tracking", "metric"}
COMPONENTS = [(group, name) for group in groups() if group in BUILT for name in options(group)]


def plain_option(group: str, name: str) -> dict:
    """Return the yaml of an option, with that of the option of its group that it begins from."""
    node = yaml.safe_load(options(group)[name].read_text())
    if group == "runner":
        return node["runner"]
    defaults = node.pop("defaults", [])
    parents = [parent for parent in defaults if isinstance(parent, str) and parent != "_self_"]
    places = [place for parent in defaults if isinstance(parent, dict) for place in parent]
    nested = {place.partition("@")[2].partition(".")[0]: {} for place in places if "@_global_" not in place}
    return {**(plain_option(group, parents[0]) if parents else {}), **nested, **node}


@pytest.mark.parametrize(("group", "name"), COMPONENTS, ids=map("/".join, COMPONENTS))
def test_yaml_keys_are_the_class_fields(group: str, name: str) -> None:
    node = plain_option(group, name)
    for part in (node, *(node.get("steps", []) if group == "filter" else [])):
        fields = {field.name for field in dataclasses.fields(locate(current_name(part["_target_"])))}
        assert part.keys() - {"_target_"} == fields


def test_make_builds_with_overrides() -> None:
    assert recexp.make("algorithm=ease", "algorithm.l2=7").l2 == 7
    with pytest.raises(ConfigError, match="the first override must name a component"):
        recexp.make("seed=3")


def test_build_refuses_a_node_without_target() -> None:
    with pytest.raises(ConfigError, match="algorithm: needs a _target_"):
        build({"l2": 3}, Recommender, "algorithm")


def test_interpolation_errors_are_config_errors() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        plain(compose(["split.seed=${nowhere}"]))


def test_every_component_is_built_before_data_is_read(tmp_path: Path) -> None:
    cfg = compose(["dataset.root=/nowhere/at/all"])
    with pytest.raises(Exception, match="/nowhere/at/all"):
        experiment(cfg, tags={})


def test_a_users_file_wins_over_ours(tmp_path: Path) -> None:
    (tmp_path / "algorithm").mkdir()
    (tmp_path / "algorithm" / "ease.yaml").write_text(
        "# mine\n_target_: recexp.algorithms.linear.ease.EASE\nl2: 77.0\n"
    )
    assert recexp.make("algorithm=ease", config_dir=str(tmp_path)).l2 == 77
    assert recexp.make("algorithm=ease").l2 != 77


def test_an_option_in_a_folder_that_is_not_given_is_pointed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_conf" / "dataset").mkdir(parents=True)
    (tmp_path / "my_conf" / "dataset" / "orders.yaml").write_text("# mine\n")
    monkeypatch.chdir(tmp_path)
    there = f"; {Path('my_conf/dataset/orders.yaml')} is there: add --config-dir my_conf"
    with pytest.raises(ConfigError) as refused:
        compose(["dataset=orders"])
    message = str(refused.value)
    assert message.startswith("dataset: unknown option orders;") and message.endswith(there)
    with pytest.raises(ConfigError) as refused:
        compose(["dataset=other"])
    assert "is there" not in str(refused.value)


def test_a_metric_whose_name_holds_a_cutoff_is_refused_before_data_are_read(tmp_path: Path) -> None:
    (tmp_path / "metric").mkdir()
    (tmp_path / "metric" / "hit_at_first.yaml").write_text((options("metric")["hit_rate"]).read_text())
    words = ["evaluation.metrics=[ndcg,hit_at_first]", "dataset.root=/nowhere/at/all"]
    with pytest.raises(ConfigError, match="hit_at_first: a metric's name must not contain _at_"):
        recexp.run(*words, config_dir=str(tmp_path))
