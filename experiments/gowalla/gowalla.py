"""Run LightGCN's split of Gowalla: `python gowalla.py [ROW ...]`; README.md says what it is."""

import os
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from study import study

HERE = Path(__file__).parent
ROWS = {
    "MostPop": ["algorithm=popularity"],
    "GF-CF": ["algorithm=gf_cf", "algorithm.factors=256", "algorithm.ideal_weight=0.3"],
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(Path(os.environ["RECEXP_DATA"]) / "gowalla-lightgcn" / "gowalla.zip") as archive:
            archive.extractall(folder)
        (train,), (test,) = (list(Path(folder).rglob(f"{part}.txt")) for part in ("train", "test"))
        common = [
            "dataset=lightgcn", f"dataset.interactions={train}", "dataset.name=gowalla", "filter=none",
            "split=predefined", f"split.test={test}", "evaluation.metrics=[recall,ndcg]", "evaluation.cutoffs=[20]",
        ]  # fmt: skip
        sys.exit(0 if study(HERE, ROWS, common) else 1)
