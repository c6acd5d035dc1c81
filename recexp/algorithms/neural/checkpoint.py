"""What a training needs to go on where it was interrupted, in one file of plain arrays."""

import json
import logging
import math
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)

SECONDS = 60.0
"""A training is saved at the end of an epoch, so long after it was saved before; sooner while it is young."""
UNUSABLE = OSError, EOFError, LookupError, TypeError, ValueError, RuntimeError, zipfile.BadZipFile
"""What reading a damaged file raises."""


@dataclass
class Progress:
    """How far a training is.

    Attributes
    ----------
    epoch : the last one that is done.
    best, best_epoch, kept : the highest validation value, its epoch and weights; 0 and none before the first.
    curve : epoch, loss and validation value (NaN where there is none) of each epoch.
    """

    epoch: int = 0
    best: float = -math.inf
    best_epoch: int = 0
    kept: dict[str, np.ndarray] = field(default_factory=dict)
    curve: list[tuple[int, float, float]] = field(default_factory=list)


class Checkpoint:
    """The state of a training in a folder; None keeps nothing.

    Parameters
    ----------
    folder : is made when it is first saved.
    identity : plain data that says which training it is; the state of another one is not taken.
    network, optimizers, generator : what is saved, and restored in place.
    """

    def __init__(
        self,
        folder: Path | None,
        identity: Mapping[str, Any],
        network: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        generator: torch.Generator,
    ) -> None:
        self._file = None if folder is None else folder / "training.npz"
        self._identity = dict(identity)
        self._network, self._optimizers, self._generator = network, optimizers, generator
        self._begun = self._saved = time.monotonic()

    def save(self, done: Progress, *, last: bool) -> None:
        """Write the state where it is time to, or this is the last epoch: as a whole, or not at all.

        It is time after the first epoch, then whenever the training has taken twice as long as when it was saved, and
        every minute: an interrupt costs half of a young training at most. Where the state cannot be written, a warning
        says so, and training goes on.
        """
        now = time.monotonic()
        if self._file is None or not (last or now - self._saved >= min(SECONDS, self._saved - self._begun)):
            return
        self._saved = now
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in self._tensors().items()}
        arrays |= {f"kept/{name}": array for name, array in done.kept.items()}
        arrays["curve"] = np.array(done.curve, np.float64).reshape(-1, 3)
        arrays["progress"] = np.array([done.epoch, done.best, done.best_epoch], np.float64)
        arrays["identity"] = np.array(json.dumps(self._identity))
        staging = self._file.with_name(f".{self._file.name}.{os.getpid()}.npz")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(staging, allow_pickle=False, **arrays)
            os.replace(staging, self._file)
        except OSError as error:
            log.warning("epoch %d could not be saved; training continues: %s: %s", done.epoch, self._file, error)
        finally:
            staging.unlink(missing_ok=True)

    def load(self) -> Progress:
        """Restore what was saved, and return how far it was; where nothing usable was, leave all as it is."""
        if self._file is None or not self._file.is_file():
            return Progress()
        try:
            with self._file.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            return self._restore(arrays)
        except UNUSABLE as error:
            log.warning("training starts from scratch: checkpoint %s cannot be used: %s", self._file, error)
            return Progress()

    def _tensors(self) -> dict[str, Tensor]:
        """Return the tensors of the state by name."""
        named = {f"network/{name}": tensor for name, tensor in self._network.state_dict().items()}
        for number, optimizer in enumerate(self._optimizers):
            for place, state in optimizer.state_dict()["state"].items():
                named |= {f"optimizer/{number}/{place}/{name}": tensor for name, tensor in state.items()}
        return {**named, "generator": self._generator.get_state()}

    def _restore(self, arrays: dict[str, np.ndarray]) -> Progress:
        self._check_identity(json.loads(str(arrays["identity"])))
        epoch, best, best_epoch = arrays["progress"].tolist()
        curve = [(int(at), loss, value) for at, loss, value in arrays["curve"].tolist()]
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in self._optimizers]
        network, kept = {}, {}
        for name, array in arrays.items():
            kind, _, rest = name.partition("/")
            if kind == "network":
                network[rest] = torch.from_numpy(array)
            elif kind == "kept":
                kept[rest] = array
            elif kind == "optimizer":
                number, place, key = rest.split("/")
                states[int(number)].setdefault(int(place), {})[key] = torch.from_numpy(array)
        if _shapes(network) != _shapes(self._network.state_dict()):
            raise ValueError("it belongs to another network")
        for optimizer, state in zip(self._optimizers, states, strict=True):
            _check_sizes(optimizer, state)
        self._generator.set_state(torch.from_numpy(arrays["generator"]))
        self._network.load_state_dict(network)
        for optimizer, state in zip(self._optimizers, states, strict=True):
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        return Progress(int(epoch), best, int(best_epoch), kept, curve)

    def _check_identity(self, found: dict[str, Any]) -> None:
        """Raise ValueError unless the state found is of this training."""
        wanted = json.loads(json.dumps(self._identity))  # as it is when it comes out of a file
        if others := [name for name in wanted if found.get(name) != wanted[name]]:
            raise ValueError(f"it belongs to another training run, which differs in: {', '.join(others)}")


def _check_sizes(optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Raise ValueError unless an optimizer's tensors fit its weights: it would write beyond them."""
    weights = [part for group in optimizer.param_groups for part in group["params"]]
    for place, tensors in state.items():
        if any(tensor.shape not in (weights[place].shape, ()) for tensor in tensors.values()):
            raise ValueError("it belongs to another optimizer")


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}
