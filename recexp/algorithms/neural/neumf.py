"""NeuMF: GMF and MLP side by side."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural.pair_model import HalvedLayers, PairModel, split_layers
from recexp.data import Dataset
from recexp.params import Size, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.networks.pairs import PairLesson

Part = Literal["gmf", "mlp"]


@params
class NeuMF(PairModel):
    """score(u, i) = h . [p_u * q_i ; mlp([v_u ; w_i])] + b: the product of `GMF` beside the layers of `MLP`.

    Neural matrix factorization (He et al., WWW 2017, equation 12); the two have vectors of their own. With `pretrained`
    both are trained first, by Adam; their outputs are then joined, each by half (equation 13 with alpha = .5), and
    trained on by plain gradient steps of the same learning rate. Each of the three chooses its epochs by validation.

    Parameters
    ----------
    factors : length of p and q.
    layers : inputs of each layer; the last number is the length of h: [64, 32, 16, 8] means vectors of 32 numbers
        and three layers.
    pretrained : whether to start from both parts.
    """

    factors: Size
    layers: HalvedLayers
    pretrained: bool

    def _shape(self) -> tuple[int, int, list[int]]:
        part, (width, hidden) = vars(self).get("_part"), split_layers(self.layers)
        return (self.factors, 0, []) if part == "gmf" else (0 if part == "mlp" else self.factors, width, hidden)

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "PairLesson":
        lesson = super()._lesson(train, generator, context)
        if self.pretrained:
            gmf, mlp = (self._fit_part(part, train, context) for part in ("gmf", "mlp"))
            joined = {name: np.concatenate([gmf[name], mlp[name]], 1) for name in ("users.weight", "items.weight")}
            joined["output.weight"] = np.concatenate([gmf["output.weight"], mlp["output.weight"]], 1) / 2
            joined["output.bias"] = (gmf["output.bias"] + mlp["output.bias"]) / 2
            lesson.start_from({**mlp, **joined}, self.learning_rate)
        return lesson

    def _fit_part(self, part: Part, train: Dataset, context: FitContext) -> dict[str, np.ndarray]:
        """Return the weights of one part that is fitted alone, and keep its number of epochs."""
        model, chosen = replace(self, pretrained=False), vars(self).get("fitted_params_", {})
        vars(model)["_part"] = part
        if part in chosen:
            model.fitted_params_ = {"epochs": chosen[part]}
        model.fit(train, context.of_part(part, context.rng.spawn(1)[0]))
        if context.validate:
            self.fitted_params_ = {**chosen, part: model.fitted_params_["epochs"]}
        return model.weights_
