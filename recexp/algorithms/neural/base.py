"""NeuralModel: what recommenders that are networks share."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

from recexp import threads
from recexp.algorithms.base import Recommender
from recexp.algorithms.checks import check_not_empty
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset
from recexp.errors import ConfigError
from recexp.params import PositiveFloat, PositiveInt, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson


@params
class NeuralModel(Recommender):
    """A network, trained by gradient descent on batches of examples.

    With validation data the model is validated every `validate_every` epochs. Training stops after `patience`
    validations without improvement and keeps the best weights; a later fit on more data trains as many epochs as those
    took (`fitted_params_`). Without validation data the model trains `epochs`. On a CPU the same seed and number of
    threads give bit-equal weights.

    Learns `weights_`, float32 arrays by name, which are all that the model needs to answer: the network is rebuilt from
    them when it is first needed, so that saved models hold arrays alone.

    A subclass implements `_lesson`, which says what is learned from the data, and `score`. Whatever imports PyTorch is
    imported within methods: a model is built, checked and loaded without it.

    Parameters
    ----------
    epochs : maximum number of passes over the training data.
    batch_size : training examples per step.
    learning_rate : of the optimizer.
    clip_norm : maximum norm of the gradient; None: no clipping.
    validate_every : epochs from one validation to the next.
    patience : validations without improvement after which training stops.
    """

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    clip_norm: PositiveFloat | None
    validate_every: PositiveInt
    patience: PositiveInt

    def check_device(self, device: str) -> None:
        self._torch_device(device)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        self._torch_device(context.device)  # before all of PyTorch is loaded: it says how PyTorch's threads wait
        from recexp.algorithms.neural import training

        check_not_empty(train.interactions)
        self._device = context.device
        training.train(self, train, lambda generator: self._lesson(train, generator, context), context)
        return self

    @abstractmethod
    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        """Return what there is to learn from `train`; its tensors are on the generator's device."""

    @contextmanager
    def _asked(self, make: "Callable[[], torch.nn.Module]") -> "Iterator[Any]":
        """Yield the network that `make` returns, with `weights_` in it, for inference.

        It is on the device of the fit; that of a loaded model is on the CPU. Raises ConfigError without PyTorch.
        """
        weights, (known, network) = self.weights_, vars(self).get("_network", (None, None))
        if known is not weights:
            device = self._torch_device(vars(self).get("_device", "cpu"))
            from recexp.algorithms.neural.networks.modules import restored

            network = restored(make, weights, device)
            self._network = weights, network
        from recexp.algorithms.neural.devices import asking

        with asking(threads.count(), sum(array.size for array in weights.values())):
            yield network

    def _torch_device(self, name: str) -> "torch.device":
        """Return the device called auto, cpu or cuda; raises ConfigError where it, or PyTorch, is not there."""
        if find_spec("torch") is None:
            raise ConfigError(
                f"algorithm: {type(self).__name__} needs PyTorch, which is not installed; pip install 'recexp[neural]'"
            )
        from recexp.algorithms.neural.devices import torch_device

        return torch_device(name)
