"""The tab key."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from recexp.cli.commands.completion import BASH
from recexp.cli.completion import candidates


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["comp"], ["compare", "completion"]),
        (["alg"], ["algorithm", "algorithm.", "algorithm="]),
        (["algorithm=item"], ["algorithm=item_knn"]),
        (["-m", "algorithm=ease,item"], ["algorithm=ease,item_knn"]),
        (["algorithm=ease", "algorithm.l"], ["algorithm.l2="]),
        (["+exp"], ["+experiment="]),
        (["+experiment=fut"], ["+experiment=future"]),
        (["compare", "--base"], ["--baseline"]),
        (["--ver"], ["--version"]),
        (["nothing.like"], []),
    ],
)
def test_what_is_half_typed_is_completed(words: list[str], expected: list[str]) -> None:
    assert candidates(words) == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "word", "expected"), [("recexp alg", "alg", "algorithm"), ("recexp algorithm=sl", "sl", "slim slope_one")]
)
def test_bash_completes_the_word_it_sees(tmp_path: Path, line: str, word: str, expected: str) -> None:
    """Bash takes = for the end of a word: only what follows it is completed."""
    fake = 'recexp() { python -m recexp "$@"; }'
    script = f"""{fake}\n{BASH.replace("complete -o default", ": complete")}
compopt() {{ :; }}
COMP_LINE='{line}' COMP_POINT={len(line)} COMP_WORDS=(recexp '{word}') COMP_CWORD=1
_recexp; echo "${{COMPREPLY[*]}}" """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert set(expected.split()) <= {*done.stdout.split()}, done.stderr


def test_scripts_are_for_two_shells(inside: Callable) -> None:
    assert "complete -o default -F _recexp recexp" in inside("completion", "bash").stdout
    assert inside("completion", "zsh").stdout.startswith("#compdef recexp")
    assert "completion takes bash|zsh (got fish)" in inside("completion", "fish").stderr


def test_a_preset_without_its_plus_is_told_how_it_is_written(inside: Callable) -> None:
    assert "experiment=future: a preset is added; write +experiment=future" in inside("experiment=future").stderr
