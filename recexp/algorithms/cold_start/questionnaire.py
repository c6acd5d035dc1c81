"""Questionnaire: asks new users whether they know certain items, and recommends from their answers only."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
import scipy.sparse as sp
from pydantic import AfterValidator

from recexp.algorithms.base import Recommender
from recexp.algorithms.capabilities import Capabilities
from recexp.algorithms.checks import check_not_empty
from recexp.algorithms.cold_start.questions import Choice, fixed, grow
from recexp.algorithms.cold_start.ridge import centered
from recexp.algorithms.fit_context import FitContext
from recexp.data import Dataset, Interactions, Queries, Split
from recexp.errors import ConfigError, DataError
from recexp.params import PositiveFloat, PositiveInt, Size, params


def _reads_histories(base: Recommender | None) -> Recommender | None:
    if base is None or (base.capabilities.reads_history and not base.capabilities.known_users_only):
        return base
    only = "only answers users that it was trained on" if base.capabilities.known_users_only else "reads no histories"
    raise ValueError(
        f"{type(base).__name__} {only}, so answers to questions tell it nothing; als, ease and item_knn read histories"
    )


@params
class Questionnaire(Recommender):
    """Asks about `n_questions` items and uses nothing else: an item in the history is a yes, any other item a no.

    Without a base, score(u, i) = p_i + sum over questions q of (a_uq - p_q) W_qi: p_i is the share of train users who
    have item i, a_uq is 1 for a yes, and W minimizes, over train users and items,

        sum of (x_ui - p_i - sum over q of (a_uq - p_q) W_qi)^2 + l2 |W|^2,

    or, for `tree`, the share among users who gave the same answers. With a base, which is fitted as usual, it is the
    base's score for a user whose history consists of the items answered with yes; a no is ignored, and without any yes
    the run's fallback answers. Lists exclude the items asked about.

    choose : popularity: the items that most users have. entropy: those that are closest to being had by half of the
    users, so that a yes or no tells most. popularity_spread: number of ratings times their standard deviation. greedy:
    one after another, the item that takes most off the covariance of all items that is left, which the regression can
    then explain. random: any. tree: the next question depends on the answers before it, and takes most off the squared
    distance of those asked from their mean (Golbandi, Koren and Lempel, WSDM 2011). For popularity and entropy see
    Rashid et al. (IUI 2002, "Getting to know you").

    Items that are asked about must not be targets: lists exclude them, so they could never be hits, and other models
    would be evaluated on different targets. `split=interview` excludes them from the targets of every model.

    Time: greedy O(nnz) and n_questions pool n_items, tree that for each question; ridge n_questions^2 n_items. Memory:
    16 pool n_items bytes while questions are chosen; then 4 n_questions n_items, or for `tree` 4 n_items for each node.
    Learns `questions_`, int64, or `tree_`; `shares_` and `weights_`, W, or `base_`.

    Parameters
    ----------
    base : an algorithm that reads histories; None: ridge regression from answers to items, or the tree's own shares.
    choose : how questions are chosen.
    n_questions : maximum number of questions.
    pool : number of most popular items that may be asked about.
    l2 : penalty of the ridge regression; for `tree`, number of average users of the parent added to a node's shares.
    min_users : for `tree`, the minimum number of train users who give each answer.
    """

    base: Annotated[Recommender | None, AfterValidator(_reads_histories)]
    choose: Choice
    n_questions: Size
    pool: Size
    l2: PositiveFloat
    min_users: PositiveInt

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        needs = frozenset({"ratings"} if self.choose == "popularity_spread" else ())
        base = vars(self).get("base_", self.base)
        if base is None:
            return Capabilities(needs_history=False, needs=needs)
        return replace(base.capabilities, needs=base.capabilities.needs | needs, vectors=False)

    def fit(self, train: Dataset, context: FitContext | None = None) -> Self:
        context = context or FitContext()
        rows = train.interactions
        check_not_empty(rows)
        pool = rows.most_popular(self.pool)
        if self.n_questions > len(pool):
            what = (
                f"algorithm.pool has {self.pool}"
                if len(pool) == self.pool
                else f"only {len(pool)} items have train rows"
            )
            raise ConfigError(f"algorithm.n_questions={self.n_questions}: {what}; ask fewer questions")
        x = rows.csr(values=False)[rows.used_users]
        if self.choose == "tree":
            self.tree_ = grow(x, pool, self.n_questions, least=self.min_users, shrinkage=self.l2)
            if self.tree_["item"][0] < 0:
                raise DataError(
                    f"algorithm.min_users={self.min_users}: no item is had, and not had, by so many train users"
                )
        else:
            self.questions_ = fixed(self.choose, rows, pool, self.n_questions, l2=self.l2, rng=context.rng)
        if self.base is not None:
            base = vars(self).get("base_") or copy.deepcopy(self.base)
            self.base_ = base.fit(train, context.of_part("base", context.rng))
        elif self.choose != "tree":
            shares = x.mean(axis=0, dtype=np.float64)
            answers = x[:, self.questions_].toarray() - shares[self.questions_]
            self.weights_ = centered(answers, x, self.l2)
            self.shares_ = shares.astype(np.float32)
        return self

    def score(self, queries: Queries) -> np.ndarray:
        if self.base is not None:
            return self.base_.score(self.answers(queries))
        if self.choose == "tree":
            profiles: np.ndarray = self.tree_["profiles"][self._paths(queries)[-1]]
            return profiles
        answers = queries.history(values=False)[:, self.questions_].toarray() - self.shares_[self.questions_]
        scores: np.ndarray = answers @ self.weights_
        scores += self.shares_
        return scores

    def predict(self, rows: Interactions, history: Queries) -> np.ndarray:
        return super().predict(rows, history) if self.base is None else self.base_.predict(rows, self.answers(history))

    def can_answer(self, queries: Queries, trained: np.ndarray) -> np.ndarray:
        if self.base is None:
            return np.ones(len(queries), bool)
        return self.base_.can_answer(self.answers(queries), trained)

    def answers(self, queries: Queries) -> Queries:
        """Return queries of unknown users whose histories are the items answered with yes."""
        owners = np.repeat(np.arange(len(queries), dtype=np.int32), queries.lengths)
        rows = np.arange(len(owners)) + np.repeat(queries.stop - np.cumsum(queries.lengths), queries.lengths)
        items = queries.log.items[rows]
        if self.choose == "tree":
            asked = self.tree_["item"][np.array(self._paths(queries))]
            kept = (asked[:, owners] == items).any(axis=0)
        else:
            kept = np.isin(items, self.questions_)
        lengths = np.bincount(owners[kept], minlength=len(queries))
        stop = np.cumsum(lengths)
        log = replace(queries.log.take(rows[kept]), users=owners[kept], n_users=len(queries))
        return replace(queries.asked_by(-1), log=log, start=stop - lengths, stop=stop)

    def withheld(self, queries: Queries) -> sp.csr_array:
        """Return which items each query was asked about, float32 CSR (b, n_items)."""
        b = len(queries)
        if self.choose == "tree":
            asked = self.tree_["item"][np.array(self._paths(queries)).T]
        else:
            asked = np.tile(self.questions_, (b, 1))
        real = asked >= 0
        indptr = np.append(0, np.cumsum(real.sum(axis=1)))
        found = sp.csr_array((np.ones(indptr[-1], np.float32), asked[real], indptr), shape=(b, queries.n_items))
        found.sum_duplicates()
        return found

    def next_question(self, answers: Mapping[int, bool]) -> int:
        """Return the next item to ask about, or -1 if no question is left; `answers` by item, True for a yes."""
        if self.choose != "tree":
            return next((int(item) for item in self.questions_ if item not in answers), -1)
        node = 0
        while (item := int(self.tree_["item"][node])) in answers:
            node = self.tree_["yes" if answers[item] else "no"][node]
        return item

    def questions(self) -> np.ndarray:
        """Return the codes of all items that any user may be asked about, int (q,)."""
        if self.choose == "tree":
            item: np.ndarray = self.tree_["item"]
            return np.unique(item[item >= 0])
        return self.questions_

    def check_split(self, split: Split) -> None:
        both = np.intersect1d(self.questions(), split.target.indices)
        if len(both):
            named = ", ".join(map(str, split.train.item_ids[both[:3]]))
            raise DataError(
                f"questionnaire asks about {len(both)} items that the split also asks for, such as {named}; with "
                "split=interview, what may be asked about is no target (split.pool of at least algorithm.pool)"
            )
        if self.base is not None:
            self.base_.check_split(split)

    def remarks(self, queries: Queries) -> list[str]:
        return [] if self.base is None else self.base_.remarks(self.answers(queries))

    def check(self) -> None:
        if self.base is not None:
            self.base.check()

    def check_device(self, device: str) -> None:
        if self.base is not None:
            self.base.check_device(device)

    def _paths(self, queries: Queries) -> list[np.ndarray]:
        """Return the node that each query reaches, int (b,) for each question; the last is its final node."""
        told, tree = queries.history(values=False), self.tree_
        nodes = [np.zeros(len(queries), np.int64)]
        for _ in range(self.n_questions):
            item = tree["item"][nodes[-1]]
            answer = told[np.arange(len(queries)), np.maximum(item, 0)] > 0
            nodes.append(np.where(item < 0, nodes[-1], np.where(answer, tree["yes"][nodes[-1]], tree["no"][nodes[-1]])))
        return nodes
