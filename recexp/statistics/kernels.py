"""Compiled loops of statistics: imported inside functions only."""

from recexp.kernels import jit


@jit
def count(draws, counts):
    """Add to `counts`, uint8 (n,), how often each number is among `draws`, int32."""
    for draw in draws:
        counts[draw] += 1
