"""The peer: ML-1M from the raw file to the same metrics with RecTools, as plain and fast as it goes, untracked.

`python rectools_plain.py ARCHIVE ease|item_knn SEED THREADS` writes JSON. Needs rectools and implicit, not recexp.
"""

import io
import json
import sys
import zipfile

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.metrics import MAP, NDCG, CatalogCoverage, HitRate, MeanInvUserFreq, Precision, Recall, calc_metrics
from rectools.models import EASEModel, ImplicitItemKNNWrapperModel

path, name, seed, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with zipfile.ZipFile(path) as archive:
    raw = io.BytesIO(archive.read("ml-1m/ratings.dat"))
columns = [Columns.User, Columns.Item, Columns.Weight, Columns.Datetime]
frame = pd.read_csv(raw, sep=":", usecols=[0, 2, 4, 6], names=columns, header=None)  # the C engine
frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="s")
frame[Columns.Weight] = 1.0

frame["key"] = np.random.default_rng(seed).random(len(frame))
rank = frame.groupby(Columns.User)["key"].rank(method="first")
size = frame.groupby(Columns.User)["key"].transform("size")
held = rank <= np.floor(0.2 * size)
train, test = frame[~held].drop(columns="key"), frame[held]

dataset = Dataset.construct(train)
if name == "ease":
    model = EASEModel(regularization=250.0, recommend_n_threads=threads, recommend_use_gpu_ranking=False)
else:
    model = ImplicitItemKNNWrapperModel(CosineRecommender(K=100, num_threads=threads))
model.fit(dataset)
lists = model.recommend(test[Columns.User].unique(), dataset, k=20, filter_viewed=True)
metrics = {}
for k in (5, 10, 20):  # recexp's default metrics and cut-offs
    metrics |= {
        f"ndcg_{k}": NDCG(k=k, divide_by_achievable=True),
        f"recall_{k}": Recall(k=k),
        f"precision_{k}": Precision(k=k),
        f"map_{k}": MAP(k=k),
        f"hit_rate_{k}": HitRate(k=k),
        f"coverage_{k}": CatalogCoverage(k=k, normalize=True),
        f"novelty_{k}": MeanInvUserFreq(k=k),
    }
json.dump(calc_metrics(metrics, lists, test, prev_interactions=train, catalog=train[Columns.Item].unique()), sys.stdout)
