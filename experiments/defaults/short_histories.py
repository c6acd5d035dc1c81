"""Compare algorithms on short histories: `python short_histories.py als user_knn popularity`.

The users of the validation part of seed 101 come as visitors with a stretch of 1, 2, 3, 5, 8 or 12 rows of their
history; all of it is kept out of the lists.
"""

import sys
from dataclasses import replace

import numpy as np
from defaults import SEEDS, validation
from reference import lists, ndcg_and_recall

from recexp import make
from recexp.algorithms import FitContext
from recexp.data import Queries
from recexp.ranking import Ranking

if __name__ == "__main__":
    train, held_out = validation(SEEDS[0])
    users = np.unique(held_out.users)
    target = held_out.csr(values=False)[users].toarray() > 0
    queries = Queries.of_users(users, train.interactions, exclude_seen=True)
    ranking = Ranking.draw(train.n_items, None, rng=np.random.default_rng(SEEDS[0]))
    for name in sys.argv[1:]:
        model, found = make(f"algorithm={name}").fit(train, FitContext(rng=np.random.default_rng(SEEDS[0]))), []
        for n in (1, 2, 3, 5, 8, 12):
            start = queries.start + np.random.default_rng(n).integers(0, queries.lengths - n + 1)
            short = replace(queries.asked_by(-1), start=start, stop=start + n)
            found.append(f"{ndcg_and_recall(lists(model, short, ranking), target)[0]:.4f}")
        sys.stdout.write(f"| {name} | {' | '.join(found)} |\n")
