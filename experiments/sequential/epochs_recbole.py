"""RecBole's side of epochs.py: train, tell processor seconds an epoch, leave the rows it learned from in rows.npy."""

import functools
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

torch.load = functools.partial(torch.load, weights_only=False)
from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402
from recbole.utils import get_model, get_trainer, init_seed  # noqa: E402

EPOCHS = 2
MODELS = {
    "gru4rec": ("GRU4Rec", {"embedding_size": 64, "hidden_size": 64, "num_layers": 1, "dropout_prob": 0.1}),
    "sasrec": (
        "SASRec",
        {
            "hidden_size": 64,
            "inner_size": 64,
            "n_layers": 2,
            "n_heads": 1,
            "hidden_dropout_prob": 0.1,
            "attn_dropout_prob": 0.1,
        },
    ),
}

if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    model, fields = MODELS[name]
    sys.argv = sys.argv[:1]
    common = {
        "train_batch_size": 2048,
        "learning_rate": 0.001,
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "MAX_ITEM_LIST_LENGTH": 50,
    }
    config = Config(model=model, dataset="ml-100k", config_dict={**common, **fields})
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    inter = dataset.inter_feat
    rows = [inter[field].to_numpy() for field in ("user_id", "item_id", "timestamp")]
    np.save(folder / "rows.npy", np.stack(rows).astype(np.int64))
    train_data, _, _ = data_preparation(config, dataset)
    network = get_model(config["model"])(config, train_data._dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, network)
    times = []
    for epoch in range(EPOCHS):
        start = time.process_time()
        trainer._train_epoch(train_data, epoch)
        times.append(time.process_time() - start)
    print(statistics.median(times[1:]))
