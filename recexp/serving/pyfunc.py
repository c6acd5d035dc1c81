"""What `mlflow models serve` runs: lists of recommendations by user id, from a saved model's folder."""

from typing import TYPE_CHECKING, Any

import numpy as np

from recexp.models.fitted import FittedModel, Id

if TYPE_CHECKING:
    import pandas as pd

MAX_ITEMS = 1000


class Served:
    """Answers a table of users; each row is a user id, a history of item ids, or both."""

    def __init__(self, model: FittedModel) -> None:
        self.model = model

    def predict(self, model_input: "pd.DataFrame", params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return for each row {"user_id", "items", "scores", "fallback"}: the `k` best items (a parameter, 10).

        Columns: `user_id`, null or absent for someone anonymous; `history`, item ids from oldest to newest, null or
        absent for what is known of the user. An unknown user without history gets the fallback's list; `fallback` says
        so.

        Raises MlflowException, which a server answers with status 400 and the message.
        """
        k = int((params or {}).get("k", 10))
        if not 1 <= k <= MAX_ITEMS:
            _refuse(f"k must lie between 1 and {MAX_ITEMS} (got {k})")
        names = [str(name) for name in model_input.columns]
        if not names or set(names) - {"user_id", "history"}:
            _refuse(f"the columns must be user_id, history or both (got {', '.join(names) or 'none of them'})")
        absent = [None] * len(model_input)
        users = model_input["user_id"].tolist() if "user_id" in names else absent
        histories = model_input["history"].tolist() if "history" in names else absent
        return [self._answer(_user(user), _history(history), k) for user, history in zip(users, histories)]

    def _answer(self, user: Id | None, history: list[Id] | None, k: int) -> dict[str, Any]:
        pairs = self.model.recommend(user, n=k, history=history)
        items, scores = [item for item, _ in pairs], [score for _, score in pairs]
        fallback = not self.model.can_answer(self.model.query(user, history))[0]
        return {"user_id": user, "items": items, "scores": scores, "fallback": fallback}


def _load_pyfunc(path: str) -> Served:
    """Return what MLflow serves, given the folder of a saved model."""
    return Served(FittedModel.load(path))


def _refuse(message: str) -> None:
    from mlflow.exceptions import MlflowException

    raise MlflowException.invalid_parameter_value(message)


def _user(value: Any) -> Id | None:
    return None if value is None or value != value else value


def _history(value: Any) -> list[Id] | None:
    return [item for item in value if item is not None] if isinstance(value, list | tuple | np.ndarray) else None
