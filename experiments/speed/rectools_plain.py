"""The peer: ML-1M from the raw file to NDCG@10 and Recall@10 with RecTools, as plain and fast as it goes, untracked.

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
from rectools.metrics import NDCG, Recall, calc_metrics
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
lists = model.recommend(test[Columns.User].unique(), dataset, k=10, filter_viewed=True)
metrics = {"ndcg": NDCG(k=10, divide_by_achievable=True), "recall": Recall(k=10)}
json.dump(calc_metrics(metrics, lists, test), sys.stdout)
