"""From a csv of ratings to a csv of lists: `python script_recexp.py RATINGS LISTS`; see script.py."""

import csv
import sys

import numpy as np

import recexp
from recexp.data import Queries

data = recexp.make("dataset=files", f"dataset.interactions={sys.argv[1]}").load()
model = recexp.make("algorithm=item_knn").fit(data)
ranking = recexp.make("evaluation=ranking").ranking(data, seed=1)
queries = Queries.of_users(np.arange(data.n_users, dtype=np.int32), data.interactions, exclude_seen=True)
lists = model.recommend(queries, 10, ranking).items
with open(sys.argv[2], "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["user_id", "item_id"])
    for user, items in zip(data.user_ids.tolist(), data.item_ids[lists].tolist()):
        writer.writerows([user, item] for item in items)
