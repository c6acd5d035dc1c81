"""RecBole's side of epochs.py: train, tell the seconds of an epoch, and leave the rows it learned from in rows.npy."""

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

EPOCHS = 6
MODELS = {
    "neumf": (
        "NeuMF",
        {
            "mf_embedding_size": 64,
            "mlp_embedding_size": 64,
            "mlp_hidden_size": [128, 64],
            "dropout_prob": 0.0,
            "train_neg_sample_args": {"distribution": "uniform", "sample_num": 1, "dynamic": False},
        },
    ),
    "lightgcn": ("LightGCN", {"embedding_size": 64, "n_layers": 2, "reg_weight": 1e-4}),
    "multvae": (
        "MultiVAE",
        {"mlp_hidden_size": [600], "latent_dimension": 128, "dropout_prob": 0.5, "train_neg_sample_args": None},
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
    }
    config = Config(model=model, dataset="ml-100k", config_dict={**common, **fields})
    init_seed(config["seed"], config["reproducibility"])
    train_data, _, _ = data_preparation(config, create_dataset(config))
    rows = train_data._dataset.inter_feat
    np.save(folder / "rows.npy", np.stack([rows["user_id"].numpy(), rows["item_id"].numpy()]).astype(np.int32) - 1)
    network = get_model(config["model"])(config, train_data._dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, network)
    times = []
    for epoch in range(EPOCHS):
        start = time.perf_counter()
        trainer._train_epoch(train_data, epoch)
        times.append(time.perf_counter() - start)
    print(statistics.median(times[1:]))
