"""Code that comes from elsewhere is refused by its name, before anything is imported; what a person trusts runs."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

import recexp as library
from recexp import system, trust
from recexp.config import composing
from recexp.errors import ConfigError, ModelError
from recexp.models.fitted import FittedModel
from recexp.tracking.view import ui_command
from recexp.trust import Trust

SPY = """
from pathlib import Path
Path("RAN").write_text("x")
from recexp.algorithms.baselines.popularity import Popularity
from recexp.params import params

@params
class Mine(Popularity):
    '''What I like.'''

def call(*arguments, **options):
    Path("RAN").write_text("called")
"""
SMALL = ("dataset=electronics", "dataset.n_users=60", "dataset.n_products=40", "dataset.n_visits=600")
BASE = (*SMALL, "evaluation.resamples=20", "algorithm=popularity")
YAML = "# mine\n_target_: spy.Mine\nhalf_life_days: null\n"
ADVICE = (
    "spy.Mine is not part of recexp and its code is not trusted; if you trust it, add --trust spy or set "
    "RECEXP_TRUST=spy"
)


@pytest.fixture
def spy(workplace: Path, inside: Callable) -> Path:
    """A working directory with a script, and a folder of yaml that names a class in it."""
    (workplace / "spy.py").write_text(SPY)
    (workplace / "conf" / "algorithm").mkdir(parents=True)
    (workplace / "conf" / "algorithm" / "mine.yaml").write_text(YAML)
    return workplace


@pytest.fixture
def saved(spy: Path) -> Path:
    """A saved model whose class is the script's."""
    library.run(*BASE).model.save("model")
    header = json.loads((spy / "model" / "model.json").read_text())
    header["model"]["class"] = "spy:Mine"
    (spy / "model" / "model.json").write_text(json.dumps(header))
    return spy / "model"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["algorithm._target_=spy.Mine"], f"algorithm._target_: {ADVICE}"),
        (["filter.steps=[{_target_: spy.Mine}]"], f"filter.steps[0]._target_: {ADVICE}"),
        (["algorithm=hybrid_weighted", "+algorithm.parts.a._target_=spy.Mine"], ADVICE),
        (["runner._target_=spy.Mine"], f"runner._target_: {ADVICE}"),
        (["algorithm._target_=recexp"], "algorithm._target_: must be the dotted name of a class"),
        (["algorithm._target_='spy:Mine'"], "algorithm._target_: must be the dotted name of a class"),
        (["algorithm._target_='.spy.Mine'"], "algorithm._target_: must be the dotted name of a class"),
        (["algorithm._target_='recexp..spy.Mine'"], "algorithm._target_: must be the dotted name of a class"),
        (["algorithm._target_=recexpx.Mine"], "add --trust recexpx or set RECEXP_TRUST=recexpx"),
    ],
)
def test_a_class_that_nobody_trusts_is_not_imported(
    inside: Callable, spy: Path, words: list[str], message: str
) -> None:
    done = inside(*BASE, *words)
    assert done.returncode == 2 and message in done.stderr and not (spy / "RAN").exists()


def test_a_folder_that_the_environment_names_is_not_trusted_for_that(inside: Callable, spy: Path) -> None:
    done = inside(*BASE, "algorithm=mine", RECEXP_CONFIG_DIR=str(spy / "conf"))
    assert (done.returncode, done.stderr) == (2, f"recexp: algorithm._target_: {ADVICE}\n")
    assert not (spy / "RAN").exists()


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--config-dir", "conf", "algorithm=mine"], {}),
        (["--trust", "other,spy", "algorithm._target_=spy.Mine"], {}),
        (["--trust=spy", "algorithm._target_=spy.Mine"], {}),
        (["algorithm._target_=spy.Mine"], {"RECEXP_TRUST": "other, spy"}),
        (["algorithm=mine"], {"RECEXP_TRUST": "spy", "RECEXP_CONFIG_DIR": "conf"}),
    ],
)
def test_a_class_that_somebody_trusts_is(inside: Callable, spy: Path, words: list[str], environment: dict) -> None:
    done = inside(*BASE, *words, "+algorithm.nothing=1", **environment)
    assert "algorithm.nothing: unknown; allowed: half_life_days" in done.stderr and (spy / "RAN").exists()


@pytest.mark.parametrize("words", ["--trust spy.Mine", "--trust=a/b", "--trust="])
def test_trusted_are_top_packages(inside: Callable, spy: Path, words: str) -> None:
    done = inside(*words.split(), *BASE)
    assert done.returncode == 2 and done.stderr.startswith("recexp: --trust: must name top packages, such as shop,lab")


def test_a_saved_model_runs_no_script(inside: Callable, spy: Path, saved: Path) -> None:
    done = inside("recommend", "model", "1")
    assert done.returncode == 2 and ADVICE in done.stderr and not (spy / "RAN").exists()
    with pytest.raises(ModelError, match="is not trusted"):
        FittedModel.load(saved)
    assert not (spy / "RAN").exists()
    done = inside("recommend", "--trust", "spy", "model", "1")
    assert done.returncode == 0 and done.stdout


def test_what_is_served_is_trusted_by_the_variable(spy: Path, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recexp import serving

    monkeypatch.setenv("RECEXP_TRUST", "spy")
    assert type(serving._load_pyfunc(str(saved)).model.model).__name__ == "Mine"


def test_a_stored_run_names_no_script(inside: Callable, spy: Path, runs: Callable) -> None:
    assert inside("--config-dir", "conf", *BASE, "algorithm=mine").returncode == 0
    (run,) = runs()
    (spy / "RAN").unlink()
    del sys.modules["spy"]
    done = inside("reproduce", run.info.run_id)
    assert done.returncode == 2 and ADVICE in done.stderr and not (spy / "RAN").exists()
    done = inside("--config-dir", "conf", "reproduce", run.info.run_id)
    assert done.returncode == 0, done.stderr
    diff = (Path(run.info.artifact_uri.removeprefix("file://")) / "git.diff").read_text()
    assert "+class Mine(Popularity):" in diff and "+_target_: spy.Mine" in diff, "own code and yaml are kept"


def test_help_reads_a_class_and_does_not_run_it(inside: Callable, spy: Path) -> None:
    done = inside("--config-dir", "conf", "algorithm=mine", "--help")
    assert done.returncode == 0 and "What I like." in done.stdout and not (spy / "RAN").exists()
    (spy / "conf" / "algorithm" / "gone.yaml").write_text("_target_: no_such.Thing\n")
    assert "no_such.Thing" in inside("--config-dir", "conf", "algorithm=gone", "--help").stdout


HYDRA = {
    "callbacks": (
        "callbacks: {x: {_target_: spy.call}}",
        "hydra.callbacks.x._target_: Hydra's own part must not name a",
    ),
    "launcher": ("launcher: {x: {_target_: spy.call}}", "hydra.launcher.x._target_: Hydra's own part must not name a"),
    "sweeper": ("sweeper: {params: {a: {_target_: spy.call}}}", "hydra.sweeper.params.a._target_: Hydra's own part"),
    "another launcher": ("launcher: {_target_: spy.call}", "hydra.launcher._target_: spy.call is not part of recexp"),
    "in a list": ("callbacks: {x: {y: [{_target_: spy.call}]}}", "hydra.callbacks.x.y.0._target_: Hydra's own part"),
    "log": ("job_logging: {handlers: {x: {(): spy.call}}}", "hydra.job_logging: must not name handlers"),
    "formats": ("hydra_logging: {formatters: {x: {(): spy.call}}}", "hydra.hydra_logging: must not name handlers"),
    "all from elsewhere": ("callbacks: ${more}\nmore: {x: {_target_: spy.call}}", "hydra.callbacks: Hydra builds what"),
    "from elsewhere": ("callbacks: {x: '${more}'}\nmore: {_target_: spy.call}", "hydra.callbacks.x: Hydra builds what"),
    "made": (
        "launcher: {x: '${oc.create:${more}}'}\nmore: {_target_: spy.call}",
        "hydra.launcher.x: Hydra builds what",
    ),
    "later": ("callbacks: {x: '${oc.decode:${hydra:job.name}}'}", "hydra.callbacks.x: Hydra builds what it names"),
    "environment": ("job: {env_set: {RECEXP_TRUST: spy}}", "hydra.job.env_set: set environment variables before"),
}


@pytest.mark.parametrize("case", HYDRA)
@pytest.mark.parametrize("sweep", [[], ["-m"]])
def test_hydras_own_part_builds_nothing(inside: Callable, spy: Path, case: str, sweep: list[str]) -> None:
    text, message = HYDRA[case]
    (spy / "conf" / "experiment").mkdir()
    (spy / "conf" / "experiment" / "nice.yaml").write_text(f"# @package _global_\nhydra:\n  {text}\n")
    done = inside("--config-dir", "conf", *sweep, *BASE, "+experiment=nice")
    assert done.returncode == 2 and message in done.stderr and not (spy / "RAN").exists()


def test_a_search_path_imports_no_package(inside: Callable, spy: Path) -> None:
    text = (
        (composing.conf_dir() / "config.yaml").read_text().replace("hydra:", "hydra:\n  searchpath: [pkg://spy.conf]")
    )
    (spy / "conf" / "config.yaml").write_text(text)
    done = inside("--config-dir", "conf", *BASE)
    assert done.returncode == 2 and "hydra.searchpath: spy.conf" in done.stderr and not (spy / "RAN").exists()


def test_what_a_pickle_could_run_is_not_read(inside: Callable, spy: Path) -> None:
    assert "--experimental-rerun: reads a pickle" in inside("--experimental-rerun", "x.pickle").stderr


def test_files_of_the_working_directory_take_nobodys_place(workplace: Path) -> None:
    for name in ("json", "numpy", "yaml", "hydra", "IPython", "typing", "gc", "hydra_plugins/evil"):
        (workplace / f"{name}.py").parent.mkdir(exist_ok=True)
        (workplace / f"{name}.py").write_text("open('RAN', 'w').write(__name__)\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "recexp", *BASE, "+algorithm.nothing=1"],
        cwd=workplace,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "algorithm.nothing: unknown" in done.stderr
    assert not (workplace / "RAN").exists(), (workplace / "RAN").read_text()


def test_programs_that_are_started_look_for_no_modules_in_the_working_directory(workplace: Path) -> None:
    (workplace / "spy.py").write_text("open('RAN', 'w').write(__name__)")
    command, environment = ui_command(None, 5000)
    options = command[command.index("--uvicorn-opts") + 1]
    assert environment["PYTHONSAFEPATH"] == "1" and f"--app-dir {sysconfig.get_path('stdlib')}" in options
    done = subprocess.run([*system.PYTHON, "-c", "import spy"], capture_output=True, text=True, env=environment)
    assert "No module named 'spy'" in done.stderr and not (workplace / "RAN").exists()


def test_numba_is_told_nothing_by_the_working_directory(workplace: Path) -> None:
    (workplace / ".numba_config.yaml").write_text("cache_dir: here\ncache_locator_classes: spy.Locator\n")
    asked = (
        "from recexp import kernels; import numba; print([numba.config.CACHE_DIR, numba.config.CACHE_LOCATOR_CLASSES])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    done = subprocess.run([*system.PYTHON, "-c", asked], capture_output=True, text=True, env=environment)
    assert done.stdout == f"{[os.environ.get('NUMBA_CACHE_DIR', ''), '']}\n", done.stderr


def test_a_job_elsewhere_trusts_the_same(spy: Path) -> None:
    before = trust.given()
    try:
        trust.use(Trust(("spy, lab",), (str(spy / "conf"),)))
        assert trust.given() == Trust(("spy", "lab"), (str(spy / "conf"),))
        assert library.config.flags()[-2:] == ["--trust=spy", "--trust=lab"]
    finally:
        trust.use(before)
    with pytest.raises(ConfigError, match="is not trusted"):
        trust.check("spy.Mine", "x")
