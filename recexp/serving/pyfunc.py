"""What `mlflow models serve` runs: lists of recommendations by user id, from a saved model's folder."""

import logging
from typing import Any

import pandas as pd

from recexp.errors import RecexpError, error_message
from recexp.models.fitted import FittedModel
from recexp.serving import request

log = logging.getLogger(__name__)


class Served:
    """Answers a table of users; each row is a user id, a history of item ids, or both."""

    def __init__(self, model: FittedModel) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return for each row {"user_id", "items", "scores", "fallback"}: the `k` best items (a parameter, 10), and
        "titles" where the model has them.

        `price_from` and `price_to` are parameters, too: the lists then hold items with such a price alone.

        Columns: `user_id`, null or absent for someone anonymous; `history`, item ids from oldest to newest, null or
        absent for what is known of the user; `context`, for models that read it, {"weekday": "monday"}. An unknown user
        without history gets the list that all such get; `fallback` says so.

        Raises BadRequest, which a server answers with status 400 and the message.
        """
        k, (low, high) = request.number_of_items(params), request.prices(params)
        users, histories, contexts = request.columns(model_input)
        try:
            model = self.model if low is None and high is None else self.model.priced(low, high)
            answers = model.answer(users, k, histories, contexts)
        except RecexpError as error:
            raise request.BadRequest(str(error)) from error
        except Exception as error:  # a damaged model, or a person's own: who asks gets no stack trace of it
            log.exception("the model failed")
            raise request.Failure(f"the model failed: {error_message(error)}") from error
        columns = {"user_id": users, "items": answers.items, "scores": answers.scores}
        columns |= {"fallback": answers.fallback.tolist()} | (
            {} if answers.names is None else {"titles": answers.names}
        )
        return [dict(zip(columns, row)) for row in zip(*columns.values())]


def _load_pyfunc(path: str) -> Served:
    """Return what MLflow serves, given the folder of a saved model."""
    return Served(FittedModel.load(path))
