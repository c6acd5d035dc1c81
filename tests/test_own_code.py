"""Which files a class of the person's own is made of."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from recexp.identity import code, code_files
from recexp.own_code import modules

MODEL = "from recexp.params import params\n@params\nclass Model:\n    pass\n"


@pytest.fixture(autouse=True)
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(folder: Path, **files: str) -> None:
    """Write files; a double underscore parts folders."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_the_modules_of_its_package_that_a_class_imports_directly_or_not(tmp_path: Path):
    write(tmp_path, ownshop__helper="from .deeper import scale\n", ownshop__deeper="import numpy\nscale = 1\n")
    write(tmp_path, ownshop__unused="", ownshop__models="import json\nfrom ownshop import helper\n" + MODEL)
    cls = import_module("ownshop.models").Model
    assert {*modules(cls)} == {"ownshop.models", "ownshop.helper", "ownshop.deeper"}


def test_packages_on_the_way_count_as_they_run_first(tmp_path: Path):
    (tmp_path / "ownpack").mkdir()
    (tmp_path / "ownpack/__init__.py").write_text("from ownpack.base import one\n")
    write(tmp_path, ownpack__base="one = 1\n", ownpack__model=MODEL)
    assert {*modules(import_module("ownpack.model").Model)} == {"ownpack.model", "ownpack", "ownpack.base"}


def test_beside_a_lone_module_those_in_its_folder_count(tmp_path: Path):
    write(tmp_path, ownmodel="import recexp\nimport ownhelper\n" + MODEL, ownhelper="", ownother="")
    assert {*modules(import_module("ownmodel").Model)} == {"ownmodel", "ownhelper"}


def test_a_changed_helper_is_another_version_of_the_code(tmp_path: Path):
    write(tmp_path, ownchanged="import ownrate\n" + MODEL, ownrate="rate = 5\n")
    found = []
    for rate in (5, 50):
        (tmp_path / "ownrate.py").write_text(f"rate = {rate}\n")
        sys.modules.pop("ownchanged", None)
        found.append(code([import_module("ownchanged").Model()]))
    assert [*found[0]] == ["ownchanged.Model", "ownrate"]
    assert found[0]["ownchanged.Model"] == found[1]["ownchanged.Model"]
    assert found[0]["ownrate"] != found[1]["ownrate"]
    assert {Path(path).name for path in code_files([import_module("ownchanged").Model()])} == {
        "ownchanged.py",
        "ownrate.py",
    }
