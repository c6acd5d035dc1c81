"""FieldModel: what models of fields share."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.fit_context import FitContext
from recexp.algorithms.neural import fields
from recexp.algorithms.neural.base import NeuralModel
from recexp.algorithms.neural.field_shape import FieldShape
from recexp.algorithms.neural.fields import Encoded, Task
from recexp.algorithms.ratings import checked, clipped, rating_range
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.params import NonNegativeFloat, PositiveInt, params

if TYPE_CHECKING:
    import torch

    from recexp.algorithms.neural.lesson import Lesson
    from recexp.algorithms.neural.networks.fields import FieldNetwork, FieldTensors

BLOCK = 2**14
"""Rows whose values are predicted at once."""


@params
class FieldModel(NeuralModel):
    """score(u, c, i) = the logit, or rating, that a network gives for the fields of user, context and item.

    Fields are the ids of user and item and columns of users, items and context, see `recexp.algorithms.neural.fields`.
    A user or item without train rows is known by its other fields; what is missing has a code of its own. Lists are
    made in the context that a query tells.

    With task `click` values are labels 0 and 1, learned by log loss, and probabilities are predicted; with `rating`
    ratings are learned by squared error, and predicted within the range of train; with `rank` each row's item is to
    score above `negatives` items that its user has no row with, in the row's own context: softmax over all of them,
    which for one negative is the loss of BPR (Rendle et al., UAI 2009).

    Time: an epoch is O(m f d) for m rows, f fields and d factors, besides the network's layers.

    Parameters
    ----------
    fields : names of the fields (user, item, users.COLUMN, items.COLUMN, context.COLUMN); auto: all but texts.
    quantiles : numbers become so many codes; None: they are standardized and multiply a vector.
    task : what is learned.
    negatives : unseen items a row, for task=rank.
    regularization : of the vectors and weights of codes; lambda / 2 times their squared norm is added to each loss.
    learning_rate_decay : factor of the learning rate after a validation without improvement; 1: it stays.
    """

    fields: Annotated[list[str], Field(min_length=1)] | Literal["auto"]
    quantiles: Annotated[int, Field(ge=2)] | None
    task: Task
    negatives: PositiveInt
    regularization: NonNegativeFloat
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)]

    predicts_by: ClassVar[Mapping[str, str]] = {"labels": "algorithm.task=click", "ratings": "algorithm.task=rating"}

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        needs = {"click": frozenset({"labels"}), "rating": frozenset({"ratings"})}.get(self.task, frozenset())
        return Capabilities(
            feedback="binary" if self.task == "rank" else "value",
            needs_history=False,
            reads_history=False,
            needs=needs,
            predicts=self.task != "rank",
            users_by_features=True,
        )

    @property
    def context_columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(name.partition(".")[2] for name in fields.of_table(self.fields_, "context"))

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        """Return bool (b,): who had rows in train or has features, or where the context is known."""
        known = (queries.users >= 0) & (trained | self.described_users_)[queries.users]
        return known | self._moments(queries.context, len(queries)).known

    def remarks(self, queries: Queries) -> list[str]:
        missing = [name for name in self.context_columns if name not in queries.context]
        if not missing:
            return []
        return [
            f"lists do not take {', '.join(missing)} into account (predictions of rows do): a query tells its context "
            "where it asks about a single row, as those of split=leave_last do"
        ]

    def score(self, queries: Queries) -> np.ndarray:
        with self._asked(self._network_of) as network:
            from recexp.algorithms.neural.networks.fields import scores

            left = self._left(network, queries.users, self._moments(queries.context, len(queries)))
            return scores(network, left, self._vectors(network, "items", Encoded(**self.items_)))

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        moments, items = self._moments({**history.context, **rows.context}, len(rows)), Encoded(**self.items_)
        out = np.empty(len(rows), np.float32)
        with self._asked(self._network_of) as network:
            for start in range(0, len(rows), BLOCK):
                block = np.arange(start, min(start + BLOCK, len(rows)))
                left = self._left(network, history.users[block], moments.take(block))
                logits = network(left, self._vectors(network, "items", items.take(rows.items[block]))[:, None])[:, 0]
                out[block] = (logits.sigmoid() if self.task == "click" else logits).cpu().numpy()
        return out if self.task == "click" else clipped(out, self.range_)

    @abstractmethod
    def _shape(self) -> FieldShape:
        """Return what the network is made of."""

    def _lesson(self, train: Dataset, generator: "torch.Generator", context: FitContext) -> "Lesson":
        from recexp.algorithms.neural.networks.fields import FieldLesson
        from recexp.algorithms.neural.networks.unseen import Unseen

        self._learn_fields(train)
        rows, unseen = train.interactions, None
        if self.task == "rank":
            unseen = Unseen(self.matrix(rows), generator)
            rows = rows.take(np.isin(rows.users, unseen.users.cpu().numpy()))
        known = {
            "users": Encoded(**self.users_),
            "items": Encoded(**self.items_),
            "context": self._moments(rows.context, len(rows)),
        }
        return FieldLesson(
            self._network_of,
            generator,
            self.learning_rate,
            fields={table: self._tensors(table, encoded, generator.device) for table, encoded in known.items()},
            rows=(rows.users.astype(np.int64), rows.items.astype(np.int64), rows.values),
            task=self.task,
            unseen=unseen,
            negatives=self.negatives,
            regularization=self.regularization,
            decay=self.learning_rate_decay,
        )

    def _learn_fields(self, train: Dataset) -> None:
        """Learn how fields are encoded, and encode those of users and items; the last user is an unknown one."""
        rows = train.interactions
        names = fields.named_fields(train, None if self.fields == "auto" else self.fields)
        self.fields_ = fields.learn(train, names, self.quantiles)
        if self.task == "rating":
            self.range_ = rating_range(checked(rows))
        everyone = {name: column.take(np.append(np.arange(train.n_users), -1)) for name, column in train.users.items()}
        user_ids, item_ids = fields.ids(np.append(rows.known_users, False)), fields.ids(rows.known_items)
        of_users = fields.of_table(self.fields_, "users")
        self.users_ = vars(fields.encode(of_users, everyone, train.n_users + 1, user_ids))
        self.items_ = vars(fields.encode(fields.of_table(self.fields_, "items"), train.items, train.n_items, item_ids))
        of_users.pop("user", None)
        self.described_users_ = fields.encode(of_users, everyone, train.n_users + 1).known[:-1]

    def _moments(self, context: Mapping[str, Column], n: int) -> Encoded:
        return fields.encode(fields.of_table(self.fields_, "context"), context, n)

    def _network_of(self) -> "FieldNetwork":
        from recexp.algorithms.neural.networks.fields import FieldNetwork

        counts = {table: len(fields.of_table(self.fields_, table)) for table in fields.TABLES}
        n_codes = sum(how["size"] for how in self.fields_.values())
        return FieldNetwork(n_codes, counts["users"] + counts["context"], counts["items"], self._shape())

    def _tensors(self, table: str, encoded: Encoded, device: "torch.device") -> "FieldTensors":
        from recexp.algorithms.neural.networks.fields import FieldTensors

        before = fields.TABLES[: fields.TABLES.index(table)]
        first = sum(how["size"] for name in before for how in fields.of_table(self.fields_, name).values())
        return FieldTensors(encoded, fields.sizes(fields.of_table(self.fields_, table)), first, device)

    def _vectors(self, network: "FieldNetwork", table: str, encoded: Encoded) -> "torch.Tensor":
        """Return (n, f, width): the vectors of fields."""
        import torch

        device = network.table.device
        return self._tensors(table, encoded, device).vectors(network.table, torch.arange(len(encoded), device=device))

    def _left(self, network: "FieldNetwork", users: np.ndarray, moments: Encoded) -> "torch.Tensor":
        """Return (b, f, width): the vectors of the fields of users, -1: unknown, and of their context."""
        import torch

        asking = self._vectors(network, "users", Encoded(**self.users_).take(users))
        return torch.cat([asking, self._vectors(network, "context", moments)], 1)
