"""Where tensors are computed, and by how many threads."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from recexp.errors import ConfigError

if "torch" not in sys.modules:  # read once: waiting threads yield their core to others
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
import torch

FEW = 2**16
"""Networks with fewer weights than this run on one thread, which is faster for them than several."""


def torch_device(name: str) -> torch.device:
    """Return the device called auto, cpu or cuda; raises ConfigError where PyTorch does not find it."""
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise ConfigError(
            "runner.device: cuda is not available: PyTorch finds no GPU that it can use; runner.device=auto uses "
            "what is available"
        )
    return torch.device("cuda" if found and name != "cpu" else "cpu")


@contextmanager
def working_threads(count: int, weights: int) -> Iterator[None]:
    """Let PyTorch work with so many threads within the block, or with one on a network of few weights."""
    before = torch.get_num_threads()
    torch.set_num_threads(count if weights >= FEW else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def asking(count: int, weights: int) -> Iterator[None]:
    """Run a network for inference, without gradients, see `working_threads`."""
    with working_threads(count, weights), torch.inference_mode():
        yield
