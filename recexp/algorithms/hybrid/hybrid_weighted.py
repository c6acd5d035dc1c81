"""HybridWeighted: the weighted mean of several algorithms' scores."""

import logging
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator, field_validator

from recexp.algorithms.fit_context import FitContext, Validate
from recexp.algorithms.hybrid.base import Hybrid
from recexp.data import Dataset, Interactions, Queries
from recexp.errors import ConfigError
from recexp.params import NonNegativeFloat, params

log = logging.getLogger(__name__)

COARSE, FINE, ROUNDS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.1, 0.05), 3
"""The search for weights: shares of a part that are tried, steps about the best of them, rounds over the parts."""


def _explain_refusal(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:
        raise ValueError(
            "must be non-negative weights such as {cf: 0.7, mf: 0.3} or [0.7, 0.3], tuned, or null"
        ) from None


Weights = Annotated[
    dict[str, NonNegativeFloat] | list[NonNegativeFloat] | Literal["tuned"] | None, WrapValidator(_explain_refusal)
]


@params
class HybridWeighted(Hybrid):
    """score(u, i) = sum over the parts p that answer u of w_p scale(s_p(u, .))_i / sum over them of w_p.

    The weighted hybrid of Burke (UMUAI 2002, section 3.1). A rating is predicted likewise, by the parts that predict.

    Tuned weights are those for which validation rates best, among equal ones and what this finds: each part's share in
    turn is tried in fifths, then closer about the best, the others keeping their proportions, until a round changes
    nothing (3 at most). Parts are fitted once for it, and the weights are kept for the refit. Two parts take about ten
    ratings, three up to ninety.

    Time and memory: those of the parts, and a block of dense scores each. Learns `weights_` by part, besides the parts.

    Parameters
    ----------
    parts, scale, on_failure : see `Hybrid`. The weights of parts that are left out go to the others in proportion.
    weights : one for each part, by name or in their order, from 0 and summing to 1. None: equal. tuned: on validation.
    """

    weights: Weights

    @field_validator("weights")
    @classmethod
    def _fitting(cls, weights: Weights, info: ValidationInfo) -> Weights:
        names = list(info.data.get("parts", ()))
        if not names or weights is None or weights == "tuned":
            return weights
        if len(weights) != len(names) or (isinstance(weights, dict) and set(weights) != set(names)):
            raise ValueError(f"must be one for each part: {', '.join(names)}")
        by_name = weights if isinstance(weights, dict) else dict(zip(names, weights))
        if not math.isclose(total := sum(by_name.values()), 1, abs_tol=1e-6):
            raise ValueError(f"must sum to 1, not {total:g}")
        return {name: by_name[name] for name in names}

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        tuned = self.weights == "tuned"
        if tuned and context.validate is None and "fitted_params_" not in vars(self):
            raise ConfigError(
                "algorithm.weights: tuned needs validation data; set split.validation_ratio=0.1, or give the weights"
            )
        self.fit_parts(train, context)
        if tuned and context.validate is not None:
            self.fitted_params_ = {"weights": self._tuned(context.validate)}
        chosen = self.fitted_params_["weights"] if tuned else self.weights
        self.weights_ = self._of_fitted(chosen if isinstance(chosen, dict) else {})  # a list is by name by now
        return self

    def score(self, queries: Queries) -> np.ndarray:
        return self.blended(self.weights_, queries)

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        return self.blended_ratings(self.weights_, rows, history)

    def _of_fitted(self, weights: dict[str, float]) -> dict[str, float]:
        """Return the weights of the parts that are there, summing to 1; equal ones when they have none."""
        given = {name: weights.get(name, 0.0) for name in self.models_}
        total = sum(given.values())
        return {name: weight / total if total else 1 / len(given) for name, weight in given.items()}

    def _tuned(self, validate: Validate) -> dict[str, float]:
        """Return the best weights found for the fitted parts, see the class."""
        rated: dict[tuple[float, ...], float] = {}

        def rating(weights: np.ndarray) -> float:
            key = tuple(np.round(weights, 6).tolist())
            if key not in rated:
                self.weights_ = dict(zip(self.models_, key))
                value = validate(self)
                rated[key] = -math.inf if math.isnan(value) else value
            return rated[key]

        best = np.full(len(self.models_), 1 / len(self.models_))
        for _ in range(ROUNDS if len(best) > 1 else 0):
            before = best
            for part in range(len(best)):
                best = _best_share(best, part, rating)
            if best is before:
                break
        found = {name: round(float(weight), 6) for name, weight in zip(self.models_, best)}
        log.info("tuned weights: %s, best of %d", found, len(rated))
        return found


def _best_share(weights: np.ndarray, part: int, rating: Callable[[np.ndarray], float]) -> np.ndarray:
    """Return the best rated of `weights` and of what other shares of `part` make of them, itself where equal."""
    own = np.arange(len(weights)) == part
    others = np.where(own, 0, weights if weights[part] < 1 else 1)
    others = others / others.sum()

    def around(*shares: float) -> list[np.ndarray]:
        return [np.where(own, share, (1 - share) * others) for share in np.clip(shares, 0, 1)]

    best = max([weights, *around(*COARSE)], key=rating)
    for step in FINE:
        best = max([best, *around(best[part] - step, best[part] + step)], key=rating)
    return best
