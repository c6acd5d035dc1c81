"""Tuned and untuned models: what to type to set them side by side."""

from typing import Any

import numpy as np
import pytest


def run(shelf: Any, algorithm: str, ratio: float, command: str, **more: Any) -> None:
    split = {"split": {"test_ratio": 0.2, "validation_ratio": ratio}}
    shelf.run(algorithm, np.linspace(0, 1, 50), protocol=split, tags={"recexp.command": command}, **more)


@pytest.mark.parametrize("tuned_last", [True, False])
def test_the_command_repeats_what_has_no_validation_part(shelf: Any, tuned_last: bool) -> None:
    untuned = [("ease", 1), ("ease", 2), ("pop", 2)]
    for algorithm, seed in [] if tuned_last else [("slim", 1)]:
        run(shelf, algorithm, 0.1, "recexp algorithm=slim", seed=seed)
    for algorithm, seed in untuned:
        command = f"recexp --config-dir 'my conf' algorithm={algorithm} seed={seed} split.validation_ratio=0"
        run(shelf, algorithm, 0.0, command, seed=seed)
    for algorithm, seed in [("slim", 1)] if tuned_last else []:
        run(shelf, algorithm, 0.1, "recexp algorithm=slim", seed=seed)
    (note,) = [note for note in shelf.compare().notes if "to compare all" in note]
    expected = "recexp --config-dir 'my conf' -m algorithm=ease,pop seed=1,2 split.validation_ratio=0.1"
    assert note.endswith(f"to compare all, run: {expected}")
    assert note.startswith(f"excluded: {'3 runs' if tuned_last else '1 run'} ")


def test_other_differences_are_told_as_before(shelf: Any) -> None:
    run(shelf, "ease", 0.0, "recexp algorithm=ease")
    shelf.run("pop", np.linspace(0, 1, 50), protocol={"split": {"test_ratio": 0.3, "validation_ratio": 0.1}})
    notes = shelf.compare().notes
    assert not [note for note in notes if "to compare all" in note]
    assert any("split.test_ratio=0.2 instead of 0.3" in note for note in notes)
