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
LAYERS = [
    {
        "version",
        "system",
        "serialization",
        "class_names",
        "errors",
        "params",
        "rng",
        "progress",
        "threads",
        "identity",
        "cost",
        "folders",
        "file_names",
        "metric_names",
    },
    {"data", "kernels", "ranking", "io", "statistics", "charts"},
    {"datasets", "filters", "splits", "metrics", "algorithms"},
    {"models", "evaluation", "tracking", "serving", "evidence", "audit", "prepared"},
    {"runners"},
    {"config", "console"},
    {"tuning", "history", "comparison", "testing"},
    {"api", "cli", "sweeps", "plugins", "__main__"},
]
MLFLOW = ["tracking", "history", "serving"]
HYDRA = ["config", "cli", "sweeps", "plugins", "tuning", "history"]
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


def place(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def layer(name: str) -> int:
    found = [number for number, names in enumerate(LAYERS) if name in names]
    assert found, f"recexp/{name} has no layer: add it to the test"
    return found[0]


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts == ("__init__",):
        return
    for name in imports(path):
        if not name.startswith("recexp."):
            continue
        assert layer(place(name)) <= layer(parts[0]), f"{path} imports {name} from a higher layer"
        if parts[0] in LAYERS[2] and place(name) in LAYERS[2]:
            assert place(name) == parts[0], f"{path} imports {name}: packages of this layer do not know each other"


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
    for name in imports(path):
        if name.startswith("recexp.algorithms."):
            assert name.split(".")[2] in shared | {path.parent.name}, f"{path} imports {name}"


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
