"""The house: which file may import which, and what importing costs."""

import ast
import subprocess
import sys
from collections.abc import Container
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "recexp"
FILES = sorted(PACKAGE.rglob("*.py"))
FOUNDATIONS = {
    "checksums",
    "class_names",
    "contract",
    "cost",
    "errors",
    "file_names",
    "folders",
    "forking",
    "garbage",
    "identity",
    "limits",
    "metric_names",
    "own_code",
    "params",
    "progress",
    "rng",
    "scratch",
    "secrets",
    "serialization",
    "spreadsheets",
    "system",
    "terminal",
    "threads",
    "trust",
    "version",
    "yaml_files",
}
"""What all may import, and what imports nothing else of ours."""
IMPORTS = {
    "data": "io",
    "io": "data",
    "kernel_cache": "",
    "kernels": "kernel_cache",
    "statistics": "kernels",
    "charts": "",
    "ranking": "data kernels",
    "algorithms": "data io kernels ranking",
    "environments": "algorithms data kernels",
    "datasets": "data environments io",
    "filters": "data",
    "splits": "data io",
    "audit": "data",
    "rerankers": "data ranking",
    "metrics": "data kernels ranking statistics",
    "evaluation": "data metrics ranking statistics",
    "models": "algorithms data ranking rerankers",
    "policies": "algorithms data environments models ranking",
    "serving": "models",
    "prepared": "data datasets filters io splits",
    "log_statistics": "data statistics",
    "profile": "data io log_statistics",
    "tracking": "",
    "evidence": "charts data evaluation io log_statistics models ranking statistics tracking",
    "runners": "algorithms audit data datasets environments evaluation evidence filters models policies prepared "
    "ranking rerankers splits tracking",
    "config_files": "",
    "config": "config_files datasets evaluation metrics runners tracking",
    "testing": "algorithms config data datasets environments evidence filters metrics models policies ranking "
    "rerankers runners splits",
    "console": "runners tracking",
    "tuning": "charts config datasets evidence runners tracking",
    "history": "config console data datasets evaluation evidence filters metrics prepared runners splits tracking",
    "comparison": "charts evaluation evidence history io metrics statistics tracking",
    "sweeps": "config config_files console runners tracking",
    "plugins": "config console environments sweeps tuning",
    "functions": "charts comparison config console datasets evaluation evidence history models runners statistics "
    "tracking tuning",
    "cli": "comparison config console functions history io metrics models plugins prepared profile runners statistics "
    "sweeps tracking tuning",
    "api": "config console data datasets functions history plugins runners sweeps tracking",
    "__main__": "cli",
    "__init__": "api data functions models tracking",
}
"""What each package imports, in functions too, beside the foundations: of those above it, but for data and io."""
MLFLOW = ["tracking", "history", "serving"]
HYDRA = ["config", "config_files", "cli", "sweeps", "plugins"]
HEAVY = [
    "torch",
    "mlflow",
    "hydra",
    "matplotlib",
    "numba",
    "sklearn",
    "scipy.stats",
    "pandas",
    "pyarrow",
    "optuna",
    "numpy",
    "pydantic",
]


@cache
def import_nodes(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]


@cache
def imports(path: Path) -> list[str]:
    names = []
    for node in import_nodes(path):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        else:
            assert node.level == 0, f"{path}: relative import"
            is_package = node.module in ("recexp", "recexp.algorithms")
            names += [f"{node.module}.{a.name}" for a in node.names] if is_package else [str(node.module)]
    return names


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def test_packages_import_what_is_written_down_and_nothing_else() -> None:
    """A new arrow is written into the table, a lost one is taken out."""
    found: dict[str, set[str]] = {package_of(path): set() for path in FILES}
    for path in FILES:
        found[package_of(path)] |= {name.split(".")[1] for name in imports(path) if name.startswith("recexp.")}
    allowed = {name: set(others.split()) for name, others in IMPORTS.items()} | {name: set() for name in FOUNDATIONS}
    assert {name: others - FOUNDATIONS - {name} for name, others in found.items()} == allowed


def test_the_table_of_packages_points_upwards() -> None:
    order = [*IMPORTS]
    for name, others in IMPORTS.items():
        above = {*order[: order.index(name)], *(["io"] if name == "data" else [])}
        assert set(others.split()) <= above, f"recexp/{name} imports what stands below it"


def test_files_do_not_import_each_other_in_circles() -> None:
    """Not even in functions, or for their types only."""
    modules = {".".join(("recexp", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in FILES}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    edges = {name: imported_modules(path, modules) for name, path in modules.items()}
    while leaves := {name for name, targets in edges.items() if not targets}:
        edges = {name: targets - leaves for name, targets in edges.items() if name not in leaves}
    assert edges == {}, "these files are part of a circle, or import one that is"


def imported_modules(path: Path, modules: Container[str]) -> set[str]:
    """Return which of `modules` a file imports, as a whole or names of them, wherever in it."""
    found = set()
    for node in import_nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else str(node.module) for name in inside}
    return {name for name in found if name in modules}


@pytest.mark.parametrize("path", [p for p in FILES if p.is_relative_to(PACKAGE / "algorithms")], ids=lambda p: p.stem)
def test_families_of_algorithms_do_not_know_each_other(path: Path) -> None:
    """A hybrid gets its parts built; what families share lies beside them, or in kernels."""
    shared = {file.stem for file in (PACKAGE / "algorithms").glob("*.py")} | {"kernels"}
    family = path.relative_to(PACKAGE / "algorithms").parts[0]
    for name in imports(path):
        if name.startswith("recexp.algorithms."):
            assert name.split(".")[2] in shared | {family}, f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_outer_libraries_stay_where_they_belong(path: Path) -> None:
    where = path.relative_to(PACKAGE).with_suffix("").as_posix()
    top = where.split("/")[0]
    for name in imports(path):
        if name.split(".")[0] == "mlflow":
            assert top in MLFLOW, f"{path} imports mlflow"
        if name.split(".")[0] in ("hydra", "omegaconf"):
            assert top in HYDRA, f"{path} imports {name}"
        assert name.split(".")[0] not in ("pickle", "cloudpickle", "dill", "joblib", "shelve"), f"{path} imports {name}"


@pytest.mark.parametrize(
    "code",
    [
        "import recexp",
        "from recexp.cli import run; run(['--help'])",
        "from recexp.cli import run; run(['tune', '--help'])",
        "from recexp import make; make('algorithm=ease'); make('split=random'); make('dataset=movielens_100k')",
    ],
    ids=["import", "help", "help of a command", "build"],
)
def test_importing_helping_and_building_are_light(code: str) -> None:
    allowed = ("hydra", "numpy", "pydantic") if "make(" in code else ()
    script = f"{code}\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = [name for name in ast.literal_eval(done.stdout.splitlines()[-1]) if name not in allowed]
    assert loaded == []


def test_the_tracking_process_starts_light() -> None:
    """It shall be busy with MLflow from its first moment."""
    code = (
        "import sys, recexp.tracking.process_main\n"
        "print([n for n in ('numpy', 'scipy', 'recexp.data') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
