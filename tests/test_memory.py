"""Nothing of size users x items is ever held: dense scores would take 7.5 GiB, one byte each 1.9."""

import subprocess
import sys

SCRIPT = """
import numpy as np
import recexp
from recexp.cost import Costs
from recexp.data import Dataset, Interactions
from recexp.models.fitted import FittedModel

n_users, n_items, m = 100_000, 20_000, 1_000_000
rng = np.random.default_rng(0)
items = (n_items * rng.random(m) ** 3).astype(np.int32)
rows = Interactions(rng.integers(0, n_users, m, np.int32), items, np.ones(m, np.float32), n_users, n_items)
data = Dataset("synthetic", rows, np.arange(n_users), np.arange(n_items))
(split,) = recexp.make("split=random").split(data)
costs = Costs()
evaluation = recexp.make("evaluation=ranking", "evaluation.resamples=100")
model = recexp.make("algorithm=item_knn").fit(split.train)
fallback = recexp.make("algorithm=popularity").fit(split.train)
ranking = evaluation.ranking(split.train, seed=1)
fitted = FittedModel.of(model, fallback, ranking, split.train, exclude_seen=True, block_mib=32)
lists = fitted.lists(split.queries, 20)
results = evaluation.evaluate(split, lists, seed=1)
print(len(split.queries), results.metrics["ndcg_at_10"], costs.metrics()["peak_mib"])
"""


def test_large_catalogue_stays_small_in_memory() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    queries, ndcg, peak = map(float, done.stdout.split())
    assert queries > 95_000
    assert 0 < ndcg < 1
    assert peak < 1024
