"""The peer, with pandas and implicit: `python script_implicit.py RATINGS LISTS`; see script.py."""

import sys

import numpy as np
import pandas as pd
import scipy.sparse as sp
from implicit.nearest_neighbours import CosineRecommender

frame = pd.read_csv(sys.argv[1])
users, user_ids = pd.factorize(frame["user_id"])
items, item_ids = pd.factorize(frame["item_id"])
x = sp.csr_matrix((np.ones(len(frame), np.float32), (users, items)))
model = CosineRecommender(K=100, num_threads=0)  # all cores
model.fit(x, show_progress=False)
lists, _ = model.recommend(np.arange(len(user_ids)), x, N=10, filter_already_liked_items=True)
found = {"user_id": np.repeat(user_ids, 10), "item_id": item_ids[lists.ravel()]}
pd.DataFrame(found).to_csv(sys.argv[2], index=False)
