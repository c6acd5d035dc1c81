"""What the README and the how-tos of docs/ say is done here, command by command, in an empty directory."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import recexp as library
from recexp.io import exists, read_bytes

ROOT = Path(__file__).parent.parent
HOW_TOS = (
    *("quickstart", "concepts", "data", "algorithms", "metrics", "sweep", "tune", "compare", "serve", "reproduce"),
    *("runs", "stores", "benchmarks", "troubleshooting", "another_system", "notebook"),
)
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in HOW_TOS)]
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
LINES = [line for language, text in BLOCKS if language == "sh" for line in text.replace("\\\n", "").splitlines()]
COMMANDS = [*dict.fromkeys(LINES)]
STUDY = ("recexp --config-dir experiments/", "recexp compare --experiment")
ELSEWHERE = ("pip install", "recexp ui", "MLFLOW_TRACKING_URI", "curl", *STUDY)
"""Commands that are run by .ci/run, tests/tracking, tests/serving, and tests/test_studies.py."""
LATER = (
    *("recexp runs", "recexp show", "recexp compare", "recexp evaluate", "recexp reproduce", "recexp export "),
    "recexp import",
)
"""Commands about runs that are there."""


@pytest.fixture(scope="session")
def few_users(tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """A folder of data where MovieLens 100K has its first 200 users only: what works on them works on all."""
    source = library.make("dataset=movielens_100k")
    base = source.base()
    if base is None:  # the commands fetch it
        return None
    folder = tmp_path_factory.mktemp("data") / source.folder
    folder.mkdir()
    for name in (source.marker, *source.other_files):
        if exists(base / name):
            lines = read_bytes(base / name).splitlines(keepends=True)
            if name in ("u.data", "ml-100k.inter"):
                lines = [line for line in lines if not (user := line.split(b"\t")[0]).isdigit() or int(user) <= 200]
            (folder / name).write_bytes(b"".join(lines))
    return str(folder.parent)


@pytest.fixture
def files(workplace: Path, few_users: str | None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the pages speak of."""
    if few_users is not None:
        monkeypatch.setenv("RECEXP_DATA", few_users)
    for language, text in BLOCKS:
        path = re.match(r"(?:# @package _global_\n)?# (\S+\.(py|yaml))\n", text)
        if language in ("python", "yaml") and path:
            (workplace / path[1]).parent.mkdir(parents=True, exist_ok=True)
            (workplace / path[1]).write_text(text)
    rows = [(f"u{u}", f"f{i}", 3 + (u * i) % 3, 1000 * u + i) for u in range(30) for i in range(20) if (u + i) % 3]
    for name, user, chosen in (
        ("ratings", "customer", rows),
        ("train", "user_id", rows[::2]),
        ("test", "user_id", rows[1::2]),
    ):
        lines = [f"{user},item_id,rating,timestamp", *(",".join(map(str, row)) for row in chosen)]
        (workplace / f"{name}.csv").write_text("\n".join(lines) + "\n")
    films = ["item_id,title,genre,price", *(f"f{i},Film {i},{'drama' if i % 2 else 'comedy'},{i}.5" for i in range(20))]
    (workplace / "films.csv").write_text("\n".join(films) + "\n")
    return workplace


@pytest.fixture
def check(files: Path, inside: Callable) -> Callable[[str], str]:
    """Do what a line says in the working directory, and return what it prints: by a shell, but runs in this process."""

    def run(commands: str) -> str:
        for command in commands.split(" && "):
            name, *words = shlex.split(command)
            if name != "recexp" or "--help" in words:
                said = by_shell(command, Path.cwd())
                continue
            done = inside(*words)
            assert done.returncode == 0, f"{command}: {done.stderr}"
            said = done.stdout
            assert said.strip()
        return said

    return run


def by_shell(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    assert done.stdout.strip()
    return done.stdout


@pytest.mark.parametrize("command", [c for c in COMMANDS if not c.startswith((*ELSEWHERE, *LATER))])
def test_command_works(check: Callable, command: str) -> None:
    check(command)


def test_commands_about_runs_work(files: Path, check: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    check("recexp -m dataset=electronics algorithm=ease,item_knn")
    run_id = check("recexp runs").splitlines()[1].split()[0]
    for command in (c for c in COMMANDS if c.startswith(LATER) and not c.startswith(STUDY)):
        if command.startswith("recexp import"):  # on another machine
            (files / "elsewhere").mkdir()
            (files / "run.zip").rename(files / "elsewhere" / "run.zip")
            monkeypatch.chdir(files / "elsewhere")
        check(command.replace("RUN_ID", run_id))


def test_continuous_integration_runs_the_test_command() -> None:
    (command,) = [c for c in COMMANDS if "pytest" in c]
    install, _, run = command.partition(" && ")
    script = (ROOT / ".ci" / "run").read_text()
    assert install in script and run in script


def test_every_command_is_known() -> None:
    assert len(COMMANDS) >= 12
    assert all(command.startswith(("recexp", "python", *ELSEWHERE)) for command in COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pictures_and_links_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for path in re.findall(r"!\[\w+\]\((\S+)\)", text):
        assert (page.parent / path).stat().st_size > 10_000
    for path, heading in re.findall(r"\]\(([\w./]+\.md)(?:#([\w-]+))?\)", text):
        linked = (page.parent / path).read_text("utf-8")
        titles = [re.sub(r"[^\w -]", "", title).lower() for title in re.findall(r"^#+ (.*)", linked, re.MULTILINE)]
        assert not heading or heading.replace("-", " ") in titles, f"{path}#{heading}"


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_text("utf-8").splitlines()) < 150


def test_what_is_pasted_into_python_works(files: Path) -> None:
    snippets = [text for language, text in BLOCKS if language == "python" and not text.startswith("# ")]
    assert snippets
    exec("\n".join(snippets), {})


def test_all_metrics_files_and_tags_of_a_run_are_on_the_pages(check: Callable, runs: Callable) -> None:
    check("recexp dataset=electronics algorithm=popularity evaluation.resamples=50 split=temporal")
    (run,) = runs()
    text = (ROOT / "docs" / "runs.md").read_text("utf-8")
    named = {*re.findall(r"`([\w./]+)`", text)}
    artifacts = Path.cwd().glob(f"mlflow-artifacts/{run.info.run_id}/artifacts/*")
    assert {f"{path.name}/" if path.is_dir() else path.name for path in artifacts} <= named
    assert {tag for tag in run.data.tags if not tag.startswith("mlflow.")} <= named
    assert {name.partition("/")[2] for name in run.data.metrics if name.startswith("audit/")} <= named
    assert {f"{name.partition('/')[0]}/" for name in run.data.metrics} <= named
    of_metrics = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    assert all(f"| `{path.stem}` |" in of_metrics for path in (ROOT / "conf" / "metric").glob("*.yaml"))
