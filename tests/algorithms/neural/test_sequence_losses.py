"""Losses of sequences, worked out by PyTorch's own or by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from recexp.algorithms.neural.networks import sequence_losses
from recexp.algorithms.neural.networks.sequence_losses import (
    BinaryCrossEntropy,
    BPRMax,
    CrossEntropy,
    SampledSoftmax,
    SequenceLoss,
)

B, L, WIDTH, N = 3, 4, 5, 9
ALL = torch.arange(N)


@pytest.fixture
def given() -> tuple[torch.Tensor, ...]:
    """Vectors, targets, weights (some 0) and items."""
    generator = torch.Generator().manual_seed(1)
    vectors, items = (torch.randn(*shape, WIDTH, generator=generator, dtype=torch.float64) for shape in ((B, L), (N,)))
    targets = torch.randint(N, (B, L), generator=generator)
    weights = torch.rand(B, L, generator=generator, dtype=torch.float64) * torch.tensor([1, 1, 0, 1])
    return vectors.requires_grad_(), targets, weights, items.requires_grad_()


def single(loss: SequenceLoss, given: tuple[torch.Tensor, ...]) -> torch.Tensor:
    vectors, targets, weights, items = given
    return loss(vectors, targets, weights, items, torch.Generator().manual_seed(0))


def full(given: tuple[torch.Tensor, ...]) -> torch.Tensor:
    vectors, targets, weights, items = given
    return (F.cross_entropy((vectors @ items.T).transpose(1, 2), targets, reduction="none") * weights).sum()


@pytest.mark.parametrize("held", [1, 20, 10**6])
def test_cross_entropy_and_its_gradients_are_those_of_pytorch(held: int, given, monkeypatch) -> None:
    monkeypatch.setattr(sequence_losses, "HELD", held)
    found = torch.autograd.grad(3 * single(CrossEntropy(ALL), given), (given[0], given[3]))
    expected = torch.autograd.grad(3 * full(given), (given[0], given[3]))
    assert single(CrossEntropy(ALL), given).item() == pytest.approx(full(given).item(), rel=1e-6)
    for ours, theirs in zip(found, expected):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-5)


def test_cross_entropy_in_bfloat16_is_nearly_that_in_float32(given) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        found = single(CrossEntropy(ALL), given)
    gradients = torch.autograd.grad(found, (given[0], given[3]))
    assert found.item() == pytest.approx(full(given).item(), rel=0.02)
    for ours, theirs in zip(gradients, torch.autograd.grad(full(given), (given[0], given[3]))):
        assert torch.allclose(ours, theirs, rtol=0, atol=0.05)


def test_new_items_are_not_learned_to_be_unlikely(given) -> None:
    vectors, targets, weights, items = given
    known = torch.tensor([0, 2, 3, 5, 8])
    asked = vectors, known[targets % 5], weights, items
    found = single(CrossEntropy(known), asked)
    assert found.item() == pytest.approx(full((vectors, targets % 5, weights, items[known])).item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(found, items)
    assert not gradient[[1, 4, 6, 7]].any()


@pytest.mark.parametrize("log_q", [False, True])
def test_a_softmax_over_all_as_negatives_is_the_full_one(log_q: bool, given) -> None:
    assert single(SampledSoftmax(ALL, N, "sequence", log_q), given).item() == pytest.approx(
        full(given).item(), rel=1e-6
    )


def test_negatives_with_log_q_stand_for_all_others(given) -> None:
    """Two negatives that score 0 beside a target of 0: 8 others in all, so that the target has 1/9."""
    vectors, targets, weights, items = given
    zeros = torch.zeros_like(vectors), torch.full_like(targets, 8), weights, items
    loss = single(SampledSoftmax(torch.arange(8), 2, "batch", log_q=True), zeros) / weights.sum()
    assert loss.item() == pytest.approx(np.log(9), rel=1e-6)


def test_negatives_with_log_q_are_on_average_all_others() -> None:
    """Of 3 items that score 0, a draw is the target by 1/3; exp(loss) - 1 is on average 2, as for both others."""
    targets = torch.full((60_000, 1), 1)
    others = SampledSoftmax(torch.arange(3), 2, "sequence", log_q=True)
    drawn = others._draw(targets, torch.Generator().manual_seed(0))
    zeros = torch.zeros(drawn.shape)
    losses = others._losses(torch.zeros(targets.shape), zeros, drawn == targets[:, :, None])
    assert (losses.exp() - 1).mean().item() == pytest.approx(2, rel=0.01)


def test_bce_is_that_of_pytorch_and_gbce_that_of_the_paper(given) -> None:
    vectors, targets, weights, items = given
    scores = vectors @ items.T
    at_target = F.one_hot(targets, N).bool()
    positive = scores[at_target].view(B, L)
    negative = F.binary_cross_entropy_with_logits(scores, torch.zeros_like(scores), reduction="none")
    negative = (negative * ~at_target).sum(-1)
    plain = (F.softplus(-positive) + negative) / (N + 1)
    assert single(BinaryCrossEntropy(ALL, N, "sequence", 0.0), given).item() == pytest.approx(
        (plain * weights).sum().item()
    )
    a = 3 / (N - 1)
    beta = a * (0.75 * (1 - 1 / a) + 1 / a)  # equation 14 of the paper
    fixed = Fixed(ALL, 3, "sequence", 0.75)
    drawn = torch.tensor([0, 4, 8])
    logits = scores[:, :, drawn]
    others = (F.softplus(logits) * (drawn != targets[:, :, None])).sum(-1)
    expected = (-beta * F.logsigmoid(positive) + others) / 4
    assert single(fixed, given).item() == pytest.approx((expected * weights).sum().item(), rel=1e-6)


class Fixed(BinaryCrossEntropy):
    """Draws items 0, 4 and 8 for each sequence."""

    def _draw(self, targets, generator):
        return torch.tensor([0, 4, 8]).expand(len(targets), 1, 3)


def test_bpr_max_is_that_of_the_paper(given) -> None:
    vectors, targets, weights, items = given
    scores = (vectors @ items.T).detach().numpy()
    total = 0.0
    for b in range(B):
        for place in range(L):
            target = int(targets[b, place])
            others = [j for j in range(N) if j != target]
            r, share = scores[b, place], np.exp(scores[b, place][others]) / np.exp(scores[b, place][others]).sum()
            above = (share / (1 + np.exp(r[others] - r[target]))).sum()
            total += float(weights[b, place]) * (-np.log(above) + 0.7 * (share * r[others] ** 2).sum())
    assert single(BPRMax(ALL, N, "batch", 0.7), given).item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        SampledSoftmax(torch.tensor([4]), 3, "sequence", log_q=True),
        BPRMax(torch.tensor([4]), 3, "batch", 0.7),
    ],
)
def test_where_the_target_alone_is_drawn_nothing_is_learned(loss: SequenceLoss, given) -> None:
    vectors, targets, weights, items = given
    found = single(loss, (vectors, torch.full_like(targets, 4), weights, items))
    assert found.item() == 0
    assert not any(gradient.any() for gradient in torch.autograd.grad(found, (vectors, items)))


@pytest.mark.parametrize(
    ("negatives", "shared", "shape"),
    [(1, "batch", (B, L, 1)), (4, "sequence", (B, 1, 4)), (4, "batch", (1, 1, 4)), (20, "sequence", (1, 1, N))],
)
def test_one_negative_is_drawn_a_place_and_several_are_shared(negatives: int, shared, shape: tuple, given) -> None:
    loss = SampledSoftmax(ALL, negatives, shared, log_q=False)
    drawn = loss._draw(given[1], torch.Generator().manual_seed(0))
    assert tuple(drawn.shape) == shape
    vectors, targets, weights, items = given
    wide = drawn.expand(B, L, -1)
    scores = (vectors[:, :, None] * items[wide]).sum(-1).masked_fill(wide == targets[:, :, None], -torch.inf)
    positive = (vectors * items[targets]).sum(-1, keepdim=True)
    expected = (torch.cat([positive, scores], -1).logsumexp(-1) - positive[:, :, 0]) * weights
    assert single(loss, given).item() == pytest.approx(expected.sum().item(), rel=1e-5)


def test_negatives_are_known_items_alike() -> None:
    known = torch.tensor([2, 3, 7])
    drawn = SampledSoftmax(known, 2, "sequence", log_q=False)._draw(
        torch.zeros(5000, 1), torch.Generator().manual_seed(0)
    )
    counts = np.bincount(drawn.flatten().numpy(), minlength=N)
    assert counts[[2, 3, 7]].sum() == 10000
    assert counts[[2, 3, 7]].min() > 3150  # 3333 +- 3.9 standard deviations
