"""Run RecBole's general benchmark on MovieLens 1M: `python recbole_ml1m.py [ROW ...]`; README.md says what it is."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from study import study

STEPS = [
    "{_target_: recexp.filters.values.DropNaN}",
    "{_target_: recexp.filters.values.MinimumRating, minimum: 3.0}",
    "{_target_: recexp.filters.values.Binarise}",
    "{_target_: recexp.filters.counts.KCore, per_user: 10, per_item: 10}",
]
COMMON = [
    "dataset=movielens_1m", f"filter.steps=[{', '.join(STEPS)}]",
    "split=random", "split.test_ratio=0.1", "split.validation_ratio=0.1", "refit=false", "evaluation.history=train",
    "evaluation.metrics=[ndcg,recall,mrr,hit_rate,precision]", "evaluation.cutoffs=[10]",
]  # fmt: skip
ROWS = {
    "Pop": ["algorithm=popularity"],
    "ItemKNN": ["algorithm=item_knn", "algorithm.k=250", "algorithm.shrinkage=1.2", "algorithm.neighbors_of=target"],
    "BPR": ["algorithm=bpr", "algorithm.iterations=150", "algorithm.learning_rate=0.02"],  # iterations: by validation
    "SLIM": ["algorithm=slim", "algorithm.alpha=0.2", "algorithm.l1_ratio=0.005"],
    "EASE": ["algorithm=ease", "algorithm.l2=1000"],
    "ADMM SLIM": ["algorithm=slim_admm", "algorithm.l1=5", "algorithm.l2=5000", "algorithm.alpha=1",
                  "algorithm.rho=4000", "algorithm.iterations=100"],
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(0 if study(Path(__file__).parent, ROWS, COMMON, seeds=(1, 2, 3)) else 1)
