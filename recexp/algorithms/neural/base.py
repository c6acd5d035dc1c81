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
    """A network, trained by steps along the gradient of a loss over batches of examples, epoch by epoch.

    With validation data the model is rated after every `validate_every` epochs; training ends after `patience` ratings
    without gain, the best weights are kept, and their epoch is what a later fit on more data trains
    (`fitted_params_`). Without, it trains `epochs`. The same seed and number of threads give the same bits on a CPU.

    Learns `weights_`, float32 arrays by name: what the model answers with. The network is made of them again when it is
    first asked.

    Parameters
    ----------
    epochs : passes over the training data, at most.
    batch_size : examples of one step.
    learning_rate : of the optimizer.
    clip_norm : a gradient whose norm is longer is shortened to it; None: none is.
    validate_every : epochs from one validation to the next.
    patience : validations without improvement after which training ends.
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
        """Return what there is to learn from `train`, checked; its tensors are where the generator's numbers are."""

    @contextmanager
    def _asked(self, make: "Callable[[], torch.nn.Module]") -> "Iterator[Any]":
        """Yield the network that `make` returns with `weights_` in it, to be asked only.

        It is where the fit took place; of a loaded model on a CPU. Raises ConfigError where there is no PyTorch.
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
