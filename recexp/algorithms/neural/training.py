"""The one loop that trains networks: epochs, validation, early stopping, checkpoints."""

import logging
import math
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from recexp import progress, threads
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.checkpoint import Checkpoint, Progress
from recexp.algorithms.neural.devices import torch_device, working_threads
from recexp.algorithms.neural.lesson import Lesson, Pass
from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.params import describe
from recexp.version import __version__

log = logging.getLogger(__name__)


class Learner(Protocol):
    """The fields by which a model is trained, and where it keeps what it has learned, see `NeuralModel`."""

    epochs: int
    batch_size: int
    learning_rate: float
    clip_norm: float | None
    validate_every: int
    patience: int
    weights_: dict[str, np.ndarray]
    fitted_params_: dict[str, Any]


def train(model: Learner, data: Dataset, teach: Callable[[torch.Generator], Lesson], context: FitContext) -> None:
    """Learn the lesson that `teach` makes with the generator of all randomness, whose device is that of all tensors.

    A checkpoint is taken where it is of the same training of the same `data`.

    Raises ConfigError where the loss is not finite.
    """
    generator = torch.Generator(torch_device(context.device)).manual_seed(int(context.rng.integers(2**63)))
    lesson = teach(generator)
    weights = sum(part.numel() for part in lesson.network.parameters())
    with working_threads(context.threads or threads.count(), weights):
        _Training(model, data, lesson, generator, context).run()


class _Training:
    def __init__(
        self, model: Learner, data: Dataset, lesson: Lesson, generator: torch.Generator, context: FitContext
    ) -> None:
        self.model, self.lesson, self.generator, self.context = model, lesson, generator, context
        chosen = vars(model).get("fitted_params_", {})
        self.epochs = model.epochs if context.validate else chosen.get("epochs", model.epochs)
        self.slower_after = [] if context.validate else chosen.get("slower_after", [])
        identity = self._identity(data) if context.checkpoint else {}
        self.checkpoint = Checkpoint(context.checkpoint, identity, lesson.network, lesson.optimizers, generator)

    def run(self) -> None:
        done = self.checkpoint.load()
        if done.epoch and not self._ended(done):
            log.info("training continues after epoch %d of %d, which was saved before", done.epoch, self.epochs)
        for epoch, loss, value in done.curve:
            self._log(epoch, loss, value)
        with progress.bar(self.epochs, type(self.model).__name__) as advance:
            advance(done.epoch)
            while not self._ended(done):
                self._epoch(done)
                self.checkpoint.save(done, last=self._ended(done))
                advance(1)
        if self.context.validate:  # 0: the deadline came before the first validation
            chosen: dict[str, Any] = {"epochs": done.best_epoch or done.epoch}
            if self.lesson.decay != 1:
                chosen["slower_after"] = _not_improved(done)
            self.model.fitted_params_ = {**vars(self.model).get("fitted_params_", {}), **chosen}
        self.model.weights_ = done.kept or self._weights()

    def _identity(self, data: Dataset) -> dict[str, Any]:
        """Return all that the weights hang on."""
        device = self.generator.device.type
        return {
            "recexp": __version__,
            "torch": torch.__version__,
            "model": describe(self.model),
            "data": data.fingerprint,
            "seed": self.generator.initial_seed(),
            "epochs": self.epochs,
            "validation": self.context.validate is not None,
            "device": device,
            "precision": self.context.precision,
            "threads": torch.get_num_threads() if device == "cpu" else None,
        }

    def _ended(self, done: Progress) -> bool:
        late = self.context.deadline is not None and time.monotonic() >= self.context.deadline
        waited = done.epoch - done.best_epoch
        in_vain = self.context.validate is not None and waited >= self.model.patience * self.model.validate_every
        return done.epoch >= self.epochs or (done.epoch > 0 and (late or in_vain))

    def _epoch(self, done: Progress) -> None:
        """Go through all data once, then look at validation data where it is time to."""
        done.epoch += 1
        for one in self.lesson.passes(done.epoch):
            loss, value = self._pass(one), math.nan
        if not math.isfinite(loss):
            raise ConfigError(
                f"algorithm.learning_rate: {self.model.learning_rate} is too large here: the loss of epoch "
                f"{done.epoch} is {loss}"
            )
        if self.context.validate and (done.epoch % self.model.validate_every == 0 or done.epoch == self.epochs):
            weights = self.model.weights_ = self._weights()
            value = self.context.validate(self.model)
            if not done.best_epoch or value > done.best:
                done.best, done.best_epoch = -math.inf if math.isnan(value) else value, done.epoch
                done.kept = {name: array.copy() for name, array in weights.items()}
            else:
                self._slow_down()
        elif done.epoch in self.slower_after:
            self._slow_down()
        done.curve.append((done.epoch, loss, value))
        self._log(*done.curve[-1])

    def _slow_down(self) -> None:
        for optimizer in self.lesson.optimizers:
            for group in optimizer.param_groups:
                group["lr"] *= self.lesson.decay

    def _pass(self, one: Pass) -> float:
        """Take the steps of a pass; return the mean loss of its examples."""
        device, total = self.generator.device, torch.zeros((), device=self.generator.device)
        moved = [weights for group in one.optimizer.param_groups for weights in group["params"]]
        for rows in one.batches(self.model.batch_size, self.generator):
            batch = [part[rows] for part in one.examples]
            with torch.autocast(device.type, torch.bfloat16, enabled=self.context.precision == "bfloat16"):
                loss = one.loss(*batch)
            one.optimizer.zero_grad()
            loss.backward()
            if self.model.clip_norm is not None:
                nn.utils.clip_grad_norm_(moved, self.model.clip_norm)
            one.optimizer.step()
            total += loss.detach() * len(batch[0])
        return float(total) / len(one.examples[0])

    def _weights(self) -> dict[str, np.ndarray]:
        """Return the weights as they are now; steps to come may change them in place."""
        with torch.no_grad():
            return {name: weights.detach().cpu().numpy() for name, weights in self.lesson.weights().items()}

    def _log(self, epoch: int, loss: float, value: float) -> None:
        self.context.log_step(epoch, {"loss": loss, **({} if math.isnan(value) else {"validation": value})})


def _not_improved(done: Progress) -> list[int]:
    """Return the epochs before the best one whose validation was no better than an earlier one."""
    epochs, best = [], -math.inf
    for epoch, _, value in done.curve:
        if epoch < done.best_epoch and not math.isnan(value):
            if value <= best:
                epochs.append(epoch)
            best = max(best, value)
    return epochs
