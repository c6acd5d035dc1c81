"""How much less counts what is farther away."""

from typing import Literal

import numpy as np

Decay = Literal["same", "div", "quadratic", "log"]

POWERS = {"same": 0, "div": 1, "quadratic": 2}


def decayed(decay: Decay, distance: np.ndarray) -> np.ndarray:
    """Return 1, 1 / d, 1 / d^2 or 1 / log10(d + 1.7) for each distance d >= 1, float64."""
    if decay == "log":
        return 1 / np.log10(distance + 1.7)
    return 1.0 / distance.astype(np.float64) ** POWERS[decay]
