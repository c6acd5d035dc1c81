"""What is true of networks and losses, worked out by other means."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import recexp
from recexp.algorithms import FitContext
from recexp.algorithms.neural.networks import autoencoders, graph, recvae
from recexp.algorithms.neural.networks.modules import Rows, dropout, empty
from recexp.algorithms.neural.networks.unseen import Unseen
from recexp.config import options
from recexp.data import Dataset, Queries

CPU = torch.device("cpu")
FAST = ("algorithm.epochs=60", "algorithm.batch_size=32", "algorithm.learning_rate=0.01")
SMALL = {
    **{
        "gmf": "factors=4",
        "mlp": "layers=[16,8]",
        "neumf": "layers=[16,8]",
        "ncf": "factors=8",
        "lightgcn": "layers=2",
    },
    **{"multvae": "hidden=[16]", "multdae": "hidden=[16]", "recvae": "hidden=16", "stacked_autoencoder": "layers=[16]"},
    **{"two_tower": "layers=[16]", "autorec": "hidden=16"},
}
"""Each network, and what makes it small."""
RANKING = [name for name in SMALL if name != "autorec"]
SEQUENCES = {"gru4rec": "hidden=16", "sasrec": "factors=16", "bert4rec": "factors=16"}
"""Those that read the order of a history, see test_sequences.py."""
FIELDS = {
    "logistic": "fields=auto",
    "fm": "factors=8",
    **dict.fromkeys(["deepfm", "wide_deep", "dcn"], "layers=[16]"),
}
"""Those of fields, see test_fields.py."""


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_network_is_here() -> None:
    of_ours = {name for name, path in options("algorithm").items() if "recexp.algorithms.neural." in path.read_text()}
    assert {*SMALL, *SEQUENCES, *FIELDS} == of_ours


@pytest.mark.parametrize("name", RANKING)
def test_what_can_be_told_apart_is_learned(name: str, tiny: Callable) -> None:
    """Of two groups, each of which has its own five items, all users get those before all others."""
    group = np.kron(np.eye(2), np.ones((20, 5))).astype(int)
    data = tiny(group.tolist())
    model = recexp.make(f"algorithm={name}", f"algorithm.{SMALL[name]}", *FAST).fit(data)
    scores = model.score(Queries.of_users(np.arange(40, dtype=np.int32), data.interactions, exclude_seen=False))
    assert (np.where(group, scores, np.inf).min(1) > np.where(group, -np.inf, scores).max(1)).all()


@pytest.mark.parametrize(("name", "small"), [*SMALL.items(), *SEQUENCES.items(), *FIELDS.items()])
def test_the_loss_falls(name: str, small: str, store: Dataset) -> None:
    losses = []
    words = "algorithm.epochs=30", "algorithm.batch_size=64", "algorithm.learning_rate=0.005"
    model, before = recexp.make(f"algorithm={name}", f"algorithm.{small}", *words), torch.get_rng_state()
    model.fit(store, FitContext(log_step=lambda _, values: losses.append(values["loss"])))
    assert torch.equal(torch.get_rng_state(), before), "PyTorch's global generator is left alone"
    assert len(losses) == 30
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert np.isfinite(losses).all()


def test_ratings_of_any_scale_are_predicted_alike(store: Dataset) -> None:
    rows, model = store.interactions, recexp.make("algorithm=autorec", *FAST[1:], "algorithm.epochs=20")
    asked = Queries.of_users(rows.users, rows, exclude_seen=False)
    plain = model.fit(store).predict(rows, asked)
    for scale in (4.0**-5, 4.0**3):
        scaled = replace(rows, values=rows.values * np.float32(scale))
        asked = Queries.of_users(rows.users, scaled, exclude_seen=False)
        got = model.fit(replace(store, interactions=scaled)).predict(scaled, asked)
        spread = float(rows.values.std())
        assert got == pytest.approx(plain * scale, abs=0.05 * scale * spread) or not 0.125 <= spread * scale <= 2


def test_inner_layers_are_sigmoids_however_large_ratings_are(ask: Callable) -> None:
    model = recexp.make("algorithm=autorec", "algorithm.by=user")
    model.weights_ = {
        "reader": np.array([[-200.0, 0.5, 200.0]], np.float32),
        "reader_bias": np.zeros(3, np.float32),
        "items": np.array([[1.0, 2.0, 4.0]], np.float32),
        "item_biases": np.zeros(1, np.float32),
    }
    asked = ask([[1]])
    log = replace(asked.log, values=np.array([2.0], np.float32), explicit=True)
    assert model.score(replace(asked, log=log)).item() == pytest.approx(2 / (1 + np.exp(-1)) + 4)


def test_the_divergence_is_that_of_normal_distributions() -> None:
    mean, logvar = torch.randn(2, 5, 7, generator=generator())
    normal = torch.distributions.Normal(mean, (logvar / 2).exp())
    standard = torch.distributions.Normal(torch.zeros(5, 7), torch.ones(5, 7))
    expected = torch.distributions.kl_divergence(normal, standard).sum(1)
    assert torch.allclose(autoencoders.divergence(mean, logvar), expected, atol=1e-5)
    assert (autoencoders.divergence(torch.zeros(5, 7), torch.zeros(5, 7)) == 0).all()


def test_densities_and_likelihood_are_the_textbooks() -> None:
    z, mean, logvar = torch.randn(3, 4, 6, generator=generator())
    normal = torch.distributions.Normal(mean, (logvar / 2).exp())
    assert torch.allclose(recvae.log_normal(z, mean, logvar), normal.log_prob(z), atol=1e-5)
    x = sp.csr_array(np.array([[1, 0, 1, 0, 0, 1], [0, 0, 0, 0, 1, 0]], np.float32))
    logits = torch.randn(2, 6, generator=generator())
    counts = torch.from_numpy(x.toarray())
    expected = -(counts * torch.log_softmax(logits, 1)).sum(1).mean()
    histories, rows = autoencoders.read(x, CPU)
    assert torch.allclose(autoencoders.likelihood(logits, histories, rows), expected)


def test_draws_have_the_spread_that_is_asked_for() -> None:
    mean, logvar = torch.full((40_000,), 3.0), torch.full((40_000,), float(np.log(4.0)))
    for noise in (1.0, 0.01):
        draws = autoencoders.drawn(mean, logvar, generator(), noise)
        assert draws.mean().item() == pytest.approx(3.0, abs=0.05 * noise)
        assert draws.std().item() == pytest.approx(2.0 * noise, rel=0.02)
    assert torch.equal(autoencoders.drawn(mean, logvar, generator(), 0.0), mean)

    assert recexp.make("algorithm=multvae", "algorithm.noise=0.01")._network_of(5).noise == 0.01


def test_recvae_draws_with_the_noise_that_is_asked_for() -> None:
    x = sp.csr_array((np.random.default_rng(0).random((6, 9)) < 0.5).astype(np.float32))
    losses = []
    for noise in (0.0, 1.0):
        lesson = recvae.RecLesson(
            x,
            lambda: recvae.RecVariational(9, 6, 3),
            generator(),
            learning_rate=0.001,
            dropout=0.0,
            noise=noise,
            gamma=0.0,
            encoder_passes=1,
        )
        losses.append({lesson._loss(lesson._users, 0.0).item() for _ in range(3)})
    assert [len(found) for found in losses] == [1, 3], "without noise the loss is the same each time"


def test_the_penalty_of_multdae_leaves_biases_alone() -> None:
    """Liang et al.'s code has tf.contrib's penalty on its weights, and none on its biases."""
    x = sp.csr_array((np.random.default_rng(3).random((6, 7)) < 0.5).astype(np.float32))
    free, bound = (empty(lambda l2=l2: autoencoders.Denoising(7, [4, 3, 4], 0.0, l2), CPU) for l2 in (0.0, 0.6))
    for weights in free.parameters():
        torch.nn.init.normal_(weights, generator=generator())
    bound.load_state_dict(free.state_dict())
    histories, rows = autoencoders.read(x, CPU)
    penalty = [network.loss(histories, rows, generator(), 0) for network in (bound, free)]
    squares = sum((w**2).sum() for name, w in free.named_parameters() if "bias" not in name)
    assert (penalty[0] - penalty[1]).item() == pytest.approx(0.3 * squares.item(), rel=1e-4)


def test_sums_are_whole_where_layers_are_half() -> None:
    """Sums of numbers of 8 bits are themselves of more."""
    x = sp.csr_array((np.random.default_rng(2).random((20, 500)) < 0.1).astype(np.float32))
    logits = torch.randn(20, 500, generator=generator()).bfloat16()
    exact = logits.double().numpy()
    expected = (x.sum(axis=1) * np.log(np.exp(exact).sum(axis=1))).mean() - (x.toarray() * exact).sum() / 20
    found = autoencoders.likelihood(logits, *autoencoders.read(x, CPU))
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_prior_mixes_three_normals() -> None:
    """Equation 5 of the RecVAE paper: .15 of a standard normal, .75 of the encoder before, .1 of a wide one."""
    x = sp.csr_array((np.random.default_rng(0).random((5, 8)) < 0.5).astype(np.float32))
    lesson = recvae.RecLesson(
        x,
        lambda: recvae.RecVariational(8, 6, 3),
        generator(),
        learning_rate=0.001,
        dropout=0.5,
        noise=1.0,
        gamma=0.005,
        encoder_passes=1,
    )
    z = torch.randn(len(lesson._users), 3, generator=generator())
    before, normal = lesson._before(lesson._histories, lesson._users, 0.0, None), torch.distributions.Normal
    parts = [(0.15, normal(0, 1)), (0.75, normal(before[0], (before[1] / 2).exp())), (0.1, normal(0, np.exp(5)))]
    mixed = torch.log(sum(share * part.log_prob(z).exp() for share, part in parts))
    assert torch.allclose(lesson._log_prior(z, lesson._users), mixed, atol=1e-5)


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_lightgcn_is_the_mean_of_powers_of_the_graph(layers: int, store: Dataset) -> None:
    """And with 0 layers matrix factorization. Gradients are those of the dense formula."""
    x = store.interactions.csr(values=False)
    n_users, n = x.shape[0], sum(x.shape)
    whole = sp.block_array([[None, x], [x.T, None]]).toarray()
    roots = np.sqrt(np.maximum(whole.sum(0), 1))
    a = torch.from_numpy((whole / roots / roots[:, None]).astype(np.float32))
    network = empty(lambda: graph.GraphNetwork(*x.shape, 5, layers), CPU)
    torch.nn.init.normal_(network.vectors, generator=generator())
    expected = sum(torch.linalg.matrix_power(a, k) @ network.vectors for k in range(layers + 1)) / (layers + 1)
    found, _ = network(graph.normalized_graph(x, CPU))
    assert torch.allclose(found, expected, atol=1e-5)
    weights = torch.randn(n, 5, generator=generator(1))
    [ours] = torch.autograd.grad((found * weights).sum(), network.vectors)
    [theirs] = torch.autograd.grad((expected * weights).sum(), network.vectors)
    assert torch.allclose(ours, theirs, atol=1e-5)
    if not layers:
        assert torch.equal(found, network.vectors)
    assert n_users == 60


@pytest.mark.parametrize("layers", [0, 2])
def test_lightgcn_works_a_user_out_of_the_history(layers: int, store: Dataset) -> None:
    """A user of train gets the vector that training gave; a stranger with the same history differs by e0 alone."""
    model = recexp.make("algorithm=lightgcn", f"algorithm.layers={layers}", "algorithm.epochs=3").fit(store)
    asked = Queries.of_users(np.arange(60, dtype=np.int32), store.interactions, exclude_seen=False)
    lesson = model._lesson(store, generator(), FitContext())
    whole, _ = lesson.network(lesson._graph)
    model.weights_ = {name: tensor.detach().numpy() for name, tensor in lesson.weights().items()}
    known = np.flatnonzero(asked.lengths)
    assert model.user_vectors(asked)[known] == pytest.approx(whole[:60].detach().numpy()[known], abs=1e-6)
    own = lesson.network.vectors[:60].detach().numpy()[known] / (layers + 1)
    stranger = model.user_vectors(asked.asked_by(-1))[known]
    assert model.user_vectors(asked)[known] - stranger == pytest.approx(own, abs=1e-6)


def test_unseen_items_are_unseen_and_uniform() -> None:
    x = sp.csr_array(np.array([[1, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]], np.float32))
    unseen = Unseen(x, generator())
    assert unseen.users.tolist() == [0, 0, 0, 1], "who has seen all has nothing to be told apart"
    drawn = unseen.draw(torch.tensor([0, 1]).repeat(6000)).numpy().reshape(-1, 2)
    for user, allowed in enumerate(([2, 3, 5], [0, 1, 2, 3, 4])):
        counts = np.bincount(drawn[:, user], minlength=6)
        assert np.flatnonzero(counts).tolist() == allowed
        assert counts[allowed] == pytest.approx(6000 / len(allowed), abs=5 * np.sqrt(6000 / len(allowed)))


def test_dropout_keeps_the_mean() -> None:
    x = dropout(torch.ones(200_000), 0.3, generator())
    assert sorted(set(x.tolist())) == pytest.approx([0, 1 / 0.7])
    assert float(x.mean()) == pytest.approx(1, abs=0.01)


def test_sparse_rows_are_those_of_the_matrix() -> None:
    x = (np.random.default_rng(1).random((6, 9)) < 0.4) * np.arange(1, 10, dtype=np.float32)
    x[2] = 0
    rows, right = Rows(sp.csr_array(x), CPU), torch.randn(9, 3, generator=generator())
    some = torch.tensor([4, 2, 2, 0])
    assert torch.equal(rows.times(some, torch.eye(9)), torch.from_numpy(x[some]))
    assert torch.allclose(rows.times(some, right), torch.from_numpy(x[some]) @ right, atol=1e-5)
    assert rows.lengths(some).tolist() == (x[some] > 0).sum(1).tolist()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_leaves_out_its_share_anywhere(rate: float) -> None:
    """Each place of a row as often as the others, each independent of its neighbors, and the mean stays."""
    x = dropout(torch.ones(20_001, 7), rate, generator())
    out = (x == 0).float()
    assert torch.allclose(out.mean(0), torch.tensor(rate), atol=0.015)
    assert torch.allclose(x.mean(), torch.tensor(1.0), atol=0.03)
    assert torch.allclose((out[:, :-1] * out[:, 1:]).mean(0), torch.tensor(rate**2), atol=0.015)
