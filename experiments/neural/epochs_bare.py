"""The bare side of epochs.py: the same networks in as few lines of PyTorch as they take, on rows.npy."""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPOCHS, BATCH = 6, 2048


def neumf(users: Tensor, items: Tensor, n_users: int, n_items: int) -> Callable[[], None]:
    """Return what trains an epoch of NeuMF: 64 factors, layers of 128, 128 and 64, an unseen item for each seen one."""
    sizes = (n_users, n_items, n_users, n_items)
    tables = nn.ModuleList(nn.Embedding(n, 64) for n in sizes)
    layers = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
    output = nn.Linear(128, 1)
    optimizer = torch.optim.Adam([*tables.parameters(), *layers.parameters(), *output.parameters()], 0.001)
    seen = torch.zeros(n_users, n_items, dtype=torch.bool)
    seen[users, items] = True

    def epoch() -> None:
        others = torch.randint(n_items, items.shape)
        while len(again := seen[users, others].nonzero()[:, 0]):
            others[again] = torch.randint(n_items, again.shape)
        order = torch.randperm(2 * len(users))
        u, i = torch.cat([users, users])[order], torch.cat([items, others])[order]
        labels = (order < len(users)).float()
        for start in range(0, len(u), BATCH):
            a, b, y = (part[start : start + BATCH] for part in (u, i, labels))
            inside = layers(torch.cat([tables[2](a), tables[3](b)], 1))
            logits = output(torch.cat([tables[0](a) * tables[1](b), inside], 1))[:, 0]
            step(F.binary_cross_entropy_with_logits(logits, y), optimizer)

    return epoch


def lightgcn(users: Tensor, items: Tensor, n_users: int, n_items: int) -> Callable[[], None]:
    """Return what trains an epoch of LightGCN: 64 factors, two layers, an unseen item for each seen one."""
    vectors = nn.Parameter(torch.randn(n_users + n_items, 64) / 10)
    optimizer = torch.optim.Adam([vectors], 0.001)
    seen = torch.zeros(n_users, n_items, dtype=torch.bool)
    seen[users, items] = True
    pairs = torch.stack([torch.cat([users, items + n_users]), torch.cat([items + n_users, users])])
    degrees = torch.bincount(pairs[0], minlength=len(vectors)).clamp(min=1).float()
    values = (degrees[pairs[0]] * degrees[pairs[1]]) ** -0.5
    graph = torch.sparse_coo_tensor(pairs, values, (len(vectors),) * 2, check_invariants=False).coalesce()

    def epoch() -> None:
        order = torch.randperm(len(users))
        u, i = users[order], items[order]
        others = torch.randint(n_items, items.shape)
        while len(again := seen[u, others].nonzero()[:, 0]):
            others[again] = torch.randint(n_items, again.shape)
        for start in range(0, len(u), BATCH):
            a, b, c = (part[start : start + BATCH] for part in (u, i, others))
            once = torch.sparse.mm(graph, vectors)
            whole = (vectors + once + torch.sparse.mm(graph, once)) / 3
            x, y, z = whole[a], whole[n_users + b], whole[n_users + c]
            squares = sum((vectors[at] ** 2).sum() for at in (a, n_users + b, n_users + c)) / 2 / len(a)
            step(F.softplus((x * (z - y)).sum(1)).mean() + 1e-4 * squares, optimizer)

    return epoch


def multvae(users: Tensor, items: Tensor, n_users: int, n_items: int) -> Callable[[], None]:
    """Return what trains an epoch of Mult-VAE: 600 hidden, 64 latent."""
    encoder = nn.Sequential(nn.Linear(n_items, 600), nn.Tanh(), nn.Linear(600, 128))
    decoder = nn.Sequential(nn.Linear(64, 600), nn.Tanh(), nn.Linear(600, n_items))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 0.001)
    histories = torch.zeros(n_users, n_items)
    histories[users, items] = 1

    def epoch() -> None:
        order = torch.randperm(n_users)
        for start in range(0, n_users, BATCH):
            x = histories[order[start : start + BATCH]]
            mean, logvar = encoder(F.dropout(F.normalize(x), 0.5)).chunk(2, 1)
            logits = decoder(mean + torch.randn_like(mean) * (logvar / 2).exp())
            likelihood = -(F.log_softmax(logits, 1) * x).sum(1).mean()
            step(likelihood + 0.1 * (0.5 * (logvar.exp() + mean**2 - 1 - logvar).sum(1)).mean(), optimizer)

    return epoch


def step(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Take a step along the gradient."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    users, items = (torch.from_numpy(codes.astype(np.int64)) for codes in np.load(folder / "rows.npy"))
    make = {"neumf": neumf, "lightgcn": lightgcn, "multvae": multvae}[name]
    epoch, times = make(users, items, int(users.max()) + 1, int(items.max()) + 1), []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - start)
    print(statistics.median(times[1:]))
