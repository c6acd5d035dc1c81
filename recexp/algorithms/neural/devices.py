"""Where tensors are computed, and by how many threads."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from recexp.errors import ConfigError

if "torch" not in sys.modules:  # which reads it once: threads that wait let others work, where cores are shared
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import torch


def torch_device(name: str) -> torch.device:
    """Return the device called auto, cpu or cuda; raises ConfigError where PyTorch finds no such."""
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise ConfigError(
            "runner.device: cuda is not available: PyTorch finds no GPU that it can use; runner.device=auto takes what "
            "is there"
        )
    return torch.device("cuda" if found and name != "cpu" else "cpu")


@contextmanager
def working_threads(count: int) -> Iterator[None]:
    """Let PyTorch work with so many threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def asking(count: int) -> Iterator[None]:
    """Let networks answer, with so many threads, and keep nothing for gradients."""
    with working_threads(count), torch.inference_mode():
        yield
