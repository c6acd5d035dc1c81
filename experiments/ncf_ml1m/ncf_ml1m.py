"""Run the NCF protocol on MovieLens 1M: `python ncf_ml1m.py [ROW ...]`; README.md says what it is."""

import gzip
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from study import study

HERE = Path(__file__).parent

BM25 = ["algorithm.weighting=bm25", "algorithm.weigh_scores=false"]
ROWS = {
    "TopPop": ["algorithm=popularity"],
    "UserKNN cosine": ["algorithm=user_knn", "algorithm.k=516", "algorithm.neighbors_of=neighbor", *BM25],
    "ItemKNN cosine": ["algorithm=item_knn", "algorithm.k=111", "algorithm.shrinkage=298.0", *BM25],
    "ItemKNN dice": ["algorithm=item_knn", "algorithm.similarity=dice", "algorithm.k=61", "algorithm.shrinkage=0.0"],
    "ItemKNN jaccard": ["algorithm=item_knn", "algorithm.similarity=jaccard", "algorithm.k=62",
                        "algorithm.shrinkage=19.0"],
    "P3alpha": ["algorithm=p3alpha", "algorithm.k=1000", "algorithm.alpha=1.2177", "algorithm.normalize=false"],
    "RP3beta": ["algorithm=rp3beta", "algorithm.k=546", "algorithm.alpha=1.0807", "algorithm.beta=0.7029",
                "algorithm.normalize=true"],
    "PureSVD": ["algorithm=svd", "algorithm.factors=52"],
    "NMF": ["algorithm=nmf", "algorithm.factors=89", "algorithm.iterations=50"],
    "SLIM": ["algorithm=slim", "algorithm.k=544", "algorithm.alpha=0.0788", "algorithm.l1_ratio=1.19e-5"],
    "EASE": ["algorithm=ease", "algorithm.l2=1320.0"],
    "iALS (Hu)": ["algorithm=als", "algorithm.factors=46", "algorithm.iterations=10", "algorithm.regularization=1e-5",
                  "algorithm.alpha=4.7655",  # their log scaling of a 1: 50 ln(1 + 1 / 10)
                  "algorithm.frequency_scaling=0.0", "algorithm.cg_steps=100"],
    "iALS": ["algorithm=als", "algorithm.factors=192", "algorithm.iterations=12", "algorithm.regularization=0.0091",
             "algorithm.alpha=3.333333"],  # of theirs: .007 (1 + .3) and 1 / .3, their unobserved weight
}  # fmt: skip


def write_split(data: Path, folder: Path) -> None:
    """Write train.csv and test.csv, with each test row's 99 candidates, as this project reads them."""
    with gzip.open(data / "ml-1m.train.rating.gz", "rt") as rows, open(folder / "train.csv", "w") as out:
        out.write("user_id,item_id,rating,timestamp\n")
        out.writelines(row.replace("\t", ",") for row in rows)
    with (
        gzip.open(data / "ml-1m.test.rating.gz", "rt") as rows,
        gzip.open(data / "ml-1m.test.negative.gz", "rt") as negatives,
        open(folder / "test.csv", "w") as out,
    ):
        out.write("user_id,item_id,candidates\n")
        for row, listed in zip(rows, negatives, strict=True):
            user, item, *_ = row.split("\t")
            out.write(f"{user},{item},{'|'.join(listed.split()[1:])}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        write_split(Path(os.environ["RECEXP_DATA"]) / "ncf-ml-1m", Path(folder))
        common = [
            "dataset=files", f"dataset.interactions={folder}/train.csv", "dataset.name=ncf_ml1m", "filter=all_positive",
            "split=predefined", f"split.test={folder}/test.csv", "evaluation.metrics=[hit_rate,ndcg]",
            "evaluation.cutoffs=[1,5,10]",
        ]  # fmt: skip
        sys.exit(0 if study(HERE, ROWS, common) else 1)
