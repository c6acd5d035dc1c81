"""What is true of networks that read sequences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import recexp
from recexp import system
from recexp.algorithms.neural.networks.attention import CausalTransformer, MaskedTransformer, TransformerShape
from recexp.algorithms.neural.networks.modules import Table, empty
from recexp.algorithms.neural.networks.recurrent import Recurrent
from recexp.algorithms.neural.networks.sequences import CausalNetwork, SequenceLesson, Sequences
from recexp.data import Column, Dataset, Interactions, Queries
from recexp.errors import ConfigError, DataError, IncompatibleError

CPU, LENGTH, WIDTH, N = torch.device("cpu"), 6, 8, 12
STANDARD = TransformerShape(width=WIDTH, blocks=2, heads=2, norm="pre", layer="standard", wider=1, rate=0.0, eps=1e-8)
CAUSAL = {
    "gru": lambda: Recurrent(Table(N, WIDTH), WIDTH, 16, 2, "gru", 0.0, gaps=True),
    "lstm": lambda: Recurrent(Table(N, WIDTH), WIDTH, WIDTH, 1, "lstm", 0.0, gaps=False),
    "rnn": lambda: Recurrent(Table(N, WIDTH), WIDTH, WIDTH, 1, "rnn", 0.0, gaps=False),
    "pre": lambda: CausalTransformer(Table(N, WIDTH), STANDARD, LENGTH),
    "original": lambda: CausalTransformer(Table(N, WIDTH), replace(STANDARD, norm="original"), LENGTH),
    "ligr": lambda: CausalTransformer(Table(N, WIDTH), replace(STANDARD, layer="ligr", wider=4), LENGTH),
}
BERT = replace(STANDARD, norm="post", wider=4)
FAST = ("algorithm.epochs=50", "algorithm.batch_size=8", "algorithm.learning_rate=0.01", "algorithm.length=8")


def drawn(make) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(3)
    network = empty(make, CPU)
    network.draw(generator)
    for weights in network.parameters():  # far from nothing, so that what is said differs
        torch.nn.init.normal_(weights, 0.0, 0.5, generator=generator)
    return network.requires_grad_(False)


def read(items: list[int], times: list[int] | None = None, *, left: bool = False) -> Sequences:
    rows = Interactions(
        np.zeros(len(items), np.int32),
        np.array(items, np.int32),
        np.ones(len(items), np.float32),
        1,
        N,
        timestamps=np.array(times or range(len(items))),
    )
    return Sequences(rows, LENGTH, CPU, left=left, gaps=True)


def ends(*pairs: tuple[int, int]) -> tuple[Tensor, Tensor]:
    start, stop = torch.tensor(pairs).T
    return start, stop


def chain(n_users: int = 40, length: int = 8) -> Dataset:
    """Everyone goes round a ring of 12 items, each from a place of their own, in steps of 5."""
    users = np.repeat(np.arange(n_users, dtype=np.int32), length)
    items = ((users + 5 * np.tile(np.arange(length), n_users)) % N).astype(np.int32)
    rows = Interactions(users, items, np.ones(len(users), np.float32), n_users, N, timestamps=np.arange(len(users)))
    return Dataset("ring", rows, np.arange(n_users), np.arange(N))


def asked(*histories: list[int]) -> Queries:
    items = np.concatenate(histories).astype(np.int32)
    log = Interactions(np.zeros(len(items), np.int32), items, np.ones(len(items), np.float32), 1, N)
    log = replace(log, timestamps=np.arange(len(items)))
    stop = np.cumsum([len(history) for history in histories])
    return Queries(np.full(len(histories), -1, np.int32), log, stop - [len(h) for h in histories], stop)


@pytest.mark.parametrize("left", [False, True])
def test_a_window_is_the_latest_items(left: bool) -> None:
    batch = read([*range(10)], left=left).read(*ends((0, 9), (7, 9), (3, 3)))
    present = [batch.items[row][batch.present[row]].tolist() for row in range(3)]
    assert present == [[3, 4, 5, 6, 7, 8], [7, 8], []]
    assert batch.places[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert batch.places[1][batch.present[1]].tolist() == [4, 5], "places are counted from the end"
    assert batch.present[1].tolist() == ([False] * 4 + [True] * 2 if left else [True] * 2 + [False] * 4)


def test_times_between_events_are_read_by_powers_of_two() -> None:
    batch = read([0, 1, 2, 3, 4], [100, 100, 101, 104, 10**9]).read(*ends((1, 5)))
    assert batch.gaps.tolist() == [[0, 2, 3, 30]], "0 for a first event; 1 s, 3 s and 32 years"


def test_rows_are_not_copied() -> None:
    rows = chain().interactions
    assert Sequences(rows, 3, CPU, left=False, gaps=False).items.data_ptr() == rows.items.ctypes.data


@pytest.mark.parametrize("name", CAUSAL)
def test_a_later_item_changes_nothing_before_it(name: str) -> None:
    network, left = drawn(CAUSAL[name]), name == "original"
    before, after = ([1, 2, 3, 4, 5, 6], [1, 2, 3, 9, 5, 6])
    outputs = [network(read(items, left=left).read(*ends((0, 6)))) for items in (before, after)]
    assert torch.equal(outputs[0][:, :3], outputs[1][:, :3])
    assert not torch.allclose(outputs[0][:, 3:], outputs[1][:, 3:], atol=1e-3)


@pytest.mark.parametrize("name", [*CAUSAL, "bert"])
def test_padding_changes_nothing(name: str) -> None:
    """A history is answered alike whether longer ones are beside it or none; and by the same items without others."""
    network = drawn(CAUSAL.get(name, lambda: MaskedTransformer(Table(N, WIDTH), BERT, LENGTH, 0.2)))
    sequences = read([1, 2, 3, 4, 5, 6, 7, 8, 9], left=name == "original")
    alone, beside = (network.last(sequences, *ends(*pairs)) for pairs in ([(6, 9)], [(6, 9), (0, 5), (2, 3), (4, 4)]))
    assert torch.allclose(alone[0], beside[0], atol=1e-6)
    assert torch.isfinite(beside).all()
    shorter = read([7, 8, 9], left=name == "original").read(*ends((0, 3)))
    assert shorter.items[shorter.present].tolist() == [7, 8, 9]


def test_a_masked_item_is_not_seen() -> None:
    network = drawn(lambda: MaskedTransformer(Table(N, WIDTH), BERT, LENGTH, 0.2))
    masked = torch.tensor([[False, True, False, False]])
    one, other = (network(read(items).read(*ends((0, 4))), masked) for items in ([1, 2, 3, 4], [1, 9, 3, 4]))
    assert torch.equal(one, other)


@pytest.mark.parametrize("post", [False, True])
def test_blocks_are_those_of_pytorch(post: bool) -> None:
    """A block is torch's TransformerEncoderLayer: norm first and relu, or norm last and gelu."""
    from recexp.algorithms.neural.networks.attention import Block

    shape = BERT if post else replace(STANDARD, wider=3)
    block = Block(shape).requires_grad_(False)
    activation = "gelu" if post else "relu"
    theirs = torch.nn.TransformerEncoderLayer(
        WIDTH, 2, shape.wider * WIDTH, 0.0, activation, shape.eps, batch_first=True, norm_first=not post
    ).eval()
    ours = block.attention
    with torch.no_grad():
        for kind in ("weight", "bias"):
            parts = [getattr(part, kind) for part in (ours.query, ours.key, ours.value)]
            getattr(theirs.self_attn, f"in_proj_{kind}").copy_(torch.cat(parts))
            getattr(theirs.self_attn.out_proj, kind).copy_(getattr(ours.output, kind))
            for mine, their in ((block.inner, theirs.linear1), (block.outer, theirs.linear2)):
                getattr(their, kind).copy_(getattr(mine, kind))
        x, visible = torch.randn(3, 5, WIDTH), torch.tensor([True, True, False, True, True]).expand(3, 1, 1, 5)
        if post:
            expected = theirs(x, src_key_padding_mask=~visible[:, 0, 0])
            assert torch.allclose(block(x, visible, None), expected, atol=1e-5)
        else:
            mask = torch.nn.Transformer.generate_square_subsequent_mask(5)
            assert torch.allclose(block(x, None, None), theirs(x, src_mask=mask), atol=1e-5)


@pytest.mark.parametrize("name", ["gru4rec", "sasrec", "bert4rec", "esasrec", "gsasrec"])
def test_a_chain_is_learned(name: str) -> None:
    """What follows is known from the last item alone: everyone gets it right."""
    more = {
        "gru4rec": ["learning_rate=0.02"],
        "bert4rec": ["epochs=150", "learning_rate=0.005", "mask=0.3"],
    }
    words = [*FAST, *(f"algorithm.{word}" for word in ["factors=16", "dropout=0.0", *more.get(name, [])])]
    model = recexp.make(f"algorithm={name}", *words).fit(chain())
    starts = np.arange(N)
    queries = asked(*([(start + 5 * step) % N for step in range(7)] for start in starts))
    assert (model.score(queries).argmax(1) == (starts + 35) % N).all()


def test_order_matters() -> None:
    model = recexp.make("algorithm=sasrec", "algorithm.factors=16", *FAST).fit(chain())
    one, other = model.score(asked([0, 5, 10, 3], [3, 10, 5, 0]))
    assert np.abs(one - other).max() > 0.1


def test_the_time_that_went_by_is_learned() -> None:
    """After item 0 comes 1 if the visit before was yesterday, else 2."""
    rng = np.random.default_rng(0)
    quick = rng.random(200) < 0.5
    items = np.stack([np.full(200, 3), np.zeros(200), np.where(quick, 1, 2)], 1).astype(np.int32).ravel()
    times = np.stack([np.zeros(200), np.where(quick, 60, 10**6), np.full(200, 2 * 10**6)], 1).astype(np.int64).ravel()
    users = np.repeat(np.arange(200, dtype=np.int32), 3)
    rows = Interactions(users, items, np.ones(600, np.float32), 200, N, timestamps=times)
    data = Dataset("gaps", rows, np.arange(200), np.arange(N))
    words = ("algorithm.time_gaps=true", "algorithm.hidden=16", "algorithm.factors=8", "algorithm.dropout=0.0")
    model = recexp.make("algorithm=gru4rec", *words, *FAST[1:], "algorithm.epochs=20").fit(data)
    begin = np.arange(200) * 3
    scores = model.score(Queries(users[::3], rows, begin, begin + 2))
    assert (scores.argmax(1) == np.where(quick, 1, 2)).all()
    assert recexp.make("algorithm=gru4rec", *words).capabilities.needs == {"order", "timestamps"}


def test_rows_of_no_weight_are_not_learned() -> None:
    """Where steps to one item weigh nothing, what comes before it is not known to lead there."""
    data = chain()
    weights = np.where(data.interactions.items == 7, 0.0, 2.0)
    rows = replace(data.interactions, context={"seconds": Column.numeric(weights)})
    words = ("algorithm.factors=16", "algorithm.dropout=0.0", "algorithm.weights=seconds")
    model = recexp.make("algorithm=sasrec", *words, *FAST).fit(replace(data, interactions=rows))
    best = model.score(asked([9, 2], [10, 3])).argmax(1)
    assert best[0] != 7
    assert best[1] == 8
    wrong = replace(rows, context={"seconds": Column.numeric(-weights)})
    with pytest.raises(DataError, match=r"algorithm\.weights: the context column seconds must hold numbers of 0 or"):
        recexp.make("algorithm=sasrec", *words).fit(replace(data, interactions=wrong))


@pytest.mark.parametrize("unit", [1e-37, 1e37])
def test_the_unit_of_weights_does_not_matter(unit: float) -> None:
    """Large ones had a sum that was not finite, and nothing was learned."""
    rows = chain(n_users=5).interactions
    model = recexp.make("algorithm=sasrec", "algorithm.weights=seconds")
    weights = [
        model._weights(replace(rows, context={"seconds": Column.numeric(scale * (1.0 + rows.items))}), CPU)
        for scale in (1.0, unit)
    ]
    assert torch.allclose(*weights)
    assert weights[1].max() == 1


def test_weights_that_are_all_zero_are_refused() -> None:
    rows = chain().interactions
    rows = replace(rows, context={"seconds": Column.numeric(np.zeros(len(rows)))})
    with pytest.raises(DataError, match=r"algorithm\.weights: the context column seconds is 0 in all rows"):
        recexp.make("algorithm=sasrec", "algorithm.weights=seconds").fit(replace(chain(), interactions=rows))


@pytest.mark.parametrize("name", ["gru4rec", "sasrec", "gsasrec", "bert4rec"])
def test_items_of_which_nothing_is_known_come_last(name: str) -> None:
    """Anything may follow anything, so that each item is unlikely, but not as much as one that nobody ever had."""
    rng, users = np.random.default_rng(0), np.repeat(np.arange(60, dtype=np.int32), 8)
    rows = Interactions(users, rng.integers(0, 9, 480).astype(np.int32), np.ones(480, np.float32), 60, N)
    data = Dataset("some", replace(rows, timestamps=np.arange(480)), np.arange(60), np.arange(N))
    scores = recexp.make(f"algorithm={name}", "algorithm.factors=16", *FAST).fit(data).score(asked([1, 4, 3], [8, 0]))
    assert (scores[:, :9].min(1) > scores[:, 9:].max(1)).all()


def described(path: Path, items: np.ndarray, length: int = 2) -> str:
    """A file that says of each item whether it is even, in vectors of some length."""
    np.savez(path, ids=items, vectors=length * np.stack([items % 2, 1 - items % 2], 1).astype(float))
    return f"algorithm.item_vectors={path}"


def test_new_items_are_recommended_by_their_vectors(tmp_path: Path) -> None:
    """Odd items are followed by even ones and these by odd ones; items 10 and 11 have no row."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(60, dtype=np.int32), 8)
    items = (2 * rng.integers(0, 5, 480) + np.tile([0, 1], 240)).astype(np.int32)
    rows = Interactions(users, items, np.ones(480, np.float32), 60, N, timestamps=np.arange(480))
    data = Dataset("even", rows, np.arange(60), np.arange(N))
    words = (described(tmp_path / "vectors.npz", np.arange(N)), "algorithm.item_ids=false", "algorithm.factors=8")
    scores = recexp.make("algorithm=sasrec", *words, *FAST[1:], "algorithm.epochs=20").fit(data).score(asked([1, 4, 3]))
    assert scores[0, 10] > scores[0, 11]
    assert scores[0, 10] == pytest.approx(scores[0, 0], abs=1e-4)


def test_vectors_of_other_items_are_refused_and_missing_ones_counted(tmp_path: Path, caplog) -> None:
    words = ("algorithm=sasrec", "algorithm.factors=4", "algorithm.heads=1", "algorithm.epochs=1", "algorithm.length=4")
    other = recexp.make(*words, described(tmp_path / "other.npz", np.arange(100, 110)))
    with pytest.raises(DataError, match=r"none of the items of ring: its first ids are 100, 101, 102, those of the"):
        other.fit(chain())
    recexp.make(*words, described(tmp_path / "some.npz", np.arange(4, 30))).fit(chain())
    assert "4 of 12 items have no vector" in caplog.text
    with pytest.raises(DataError, match=r"algorithm\.item_vectors: nowhere\.npz: no such file"):
        recexp.make(*words, "algorithm.item_vectors=nowhere.npz").check()


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["algorithm.item_ids=false"], IncompatibleError, "item_ids: false leaves nothing that tells items apart"),
        (["algorithm.heads=3"], ConfigError, r"algorithm\.heads: 3 does not divide algorithm\.factors \(64\)"),
        (["algorithm.layer=ligr", "algorithm.norm=original"], ConfigError, "layer=ligr has norm=pre"),
    ],
)
def test_what_does_not_go_together_is_refused_before_data_are_read(words, error, message) -> None:
    with pytest.raises(error, match=message):
        recexp.make("algorithm=sasrec", *words).check()


def test_a_window_that_does_not_fit_is_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "free_mib", lambda: 1000)
    model = recexp.make("algorithm=sasrec", "algorithm.length=100000", "algorithm.batch_size=40")
    with pytest.raises(ConfigError, match=r"windows of 100,000 items needs .* only 1.0 GiB are free; use a smaller"):
        model.fit(chain())


def test_negatives_that_do_not_fit_are_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """128 windows of 200 with 3,000 negatives: 0.29 GiB of scores, several times."""
    monkeypatch.setattr(system, "free_mib", lambda: 1000)
    many, few = (recexp.make("algorithm=sasrec", f"algorithm.negatives={n}") for n in (3000, 256))
    with pytest.raises(
        ConfigError, match=r"use a smaller algorithm\.length, algorithm\.negatives or algorithm\.batch_"
    ):
        many._foresee(6040, 3416)
    few._foresee(6040, 3416)
    recexp.make("algorithm=sasrec", "algorithm.negatives=3000", "algorithm.loss=cross_entropy")._foresee(6040, 3416)


def test_sequences_of_one_row_are_refused() -> None:
    rows = chain().interactions
    data = Dataset("single", rows.take(np.arange(0, len(rows), 8)), np.arange(40), np.arange(N))
    with pytest.raises(DataError, match="none of the 40 users of single has two rows"):
        recexp.make("algorithm=gru4rec").fit(data)


def test_batches_of_like_lengths_weigh_each_place_alike() -> None:
    """The losses of an epoch's batches, each by its share of examples, make up the mean over all places."""

    class Constant(CausalNetwork):
        def __init__(self) -> None:
            super().__init__()
            self.items = Table(N, 2)

        def draw(self, generator: torch.Generator) -> None:
            self.items.draw(1.0, generator)

        def forward(self, batch, generator=None) -> Tensor:
            return torch.ones(*batch.items.shape, 2)

    rows, begin = chain().interactions.histories
    start, stop = torch.from_numpy(begin[:-1].astype(np.int64)), torch.from_numpy(begin[1:].astype(np.int64))
    stop = torch.minimum(stop, start + 2 + torch.arange(40) % 7)

    class Places:
        def __call__(self, vectors, targets, weights, items, generator) -> Tensor:
            return (targets * weights).sum()

    lesson = SequenceLesson(
        Sequences(rows, 5, CPU, left=False, gaps=False),
        (start, stop),
        None,
        Constant,
        Places(),
        torch.Generator(),
        learning_rate=0.1,
    )
    (one,) = lesson.passes(1)
    batches = one.batches(6, torch.Generator().manual_seed(0))
    widths = [len(np.unique(one.sizes[rows].numpy())) for rows in batches]
    total = sum(float(one.loss(*(part[rows] for part in one.examples))) * len(rows) for rows in batches) / 40
    targets = [rows_ for a, b in zip(start.tolist(), stop.tolist()) for rows_ in rows.items[max(a + 1, b - 5) : b]]
    assert sorted(torch.cat(list(batches)).tolist()) == list(range(40))
    assert np.mean(widths) < 3, "lengths of a batch are alike"
    assert total == pytest.approx(np.mean(targets), rel=1e-5)
