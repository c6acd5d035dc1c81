"""The pages of docs/: their files, commands, checks, and the answers that they quote."""

import re
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

DOCS = Path(__file__).parent.parent / "docs"
SMALL = ("evaluation.resamples=20", "dataset.n_users=100", "dataset.n_products=60", "dataset.n_visits=1500")
"""What makes dataset=electronics, and so a page's commands, quick."""


MEASURED = {
    "add_an_algorithm": "training/refit_strength",
    "add_a_reranker": "test/ndcg_at_10",
    "add_a_metric": "test/hit_rate_gap_at_10",
    "add_a_split": "test/ndcg_at_10",
    "add_a_filter": "test/ndcg_at_10",
    "add_a_dataset": "test/ndcg_at_10",
    "neural": "test/ndcg_at_10",
}
"""What the last runs of a page have."""


class Mistake(NamedTuple):
    """What is changed in a file of a page, and whether the check answers to it, or else the page's first command."""

    file: str
    old: str
    new: str
    check: bool = False


MISTAKES = {
    "add_an_algorithm": [
        Mistake("also_took.py", "@params\n", ""),
        Mistake("also_took.py", "fit(self, train, context=None)", "fit(self, train)"),
        Mistake("conf/algorithm/also_took.yaml", "damping: 10.0", ""),
        Mistake("conf/algorithm/also_took.yaml", "also_took.AlsoTook", "model.AlsoTook"),
        Mistake("also_took.py", "(self.matrix(queries) @ self.rules_).toarray()", "self.matrix(queries) @ self.rules_"),
        Mistake("also_took.py", "(self.matrix(queries) @ self.rules_).toarray()", "self.rules_.sum(axis=0)"),
        Mistake("also_took.py", "self.rules_", "self.rules"),
        Mistake("also_took.py", "        return self\n", "        self.shrink_ = lambda x: x\n        return self\n"),
        Mistake("also_took.py", "        return self\n", "", check=True),
        Mistake("also_took.py", "self.rules_", "self._rules", check=True),
        Mistake("power_svd.py", "context.rng", "np.random.default_rng()", check=True),
    ],
    "add_a_reranker": [
        Mistake("shop_rerankers.py", "rerank(self, queries, candidates, k)", "rerank(self, queries, candidates)"),
        Mistake("shop_rerankers.py", '"items.brand"', '"items.maker"'),
        Mistake("shop_rerankers.py", "        lists = Lists.empty(len(queries), k)\n", "        return candidates\n"),
        Mistake("shop_rerankers.py", "        return self\n\n    def depth", "\n    def depth", check=True),
        Mistake("shop_rerankers.py", "np.minimum.accumulate(", "np.asarray(", check=True),
    ],
    "add_a_metric": [
        Mistake("shop_metrics.py", "values(self, judged, k)", "values(self, judged)"),
        Mistake("shop_metrics.py", "found / (judged.target.sign() @ prices)", "found.sum()"),
        Mistake("conf/metric/revenue_recall.yaml", "price", "cost"),
        Mistake("shop_metrics.py", '"relevant", "item_prices"', '"item_prices"', check=True),
        Mistake("shop_metrics.py", "    higher_is_better = False\n", "", check=True),
        Mistake("shop_metrics.py", "return found /", "return 100 * found /", check=True),
    ],
    "add_a_split": [
        Mistake("last_days.py", "assign(self, interactions, *, rng)", "assign(self, interactions)"),
        Mistake("conf/split/last_days.yaml", "seed: ${seed}\n", ""),
        Mistake("last_days.py", "return labels", "return labels == TEST"),
        Mistake("conf/split/last_days.yaml", "test_days: 30", "test_days: 400"),
        Mistake("last_days.py", '"history"', '"point"', check=True),
        Mistake("last_days.py", "return labels", "return np.random.default_rng(1).permutation(labels)", check=True),
    ],
    "add_a_filter": [
        Mistake("bots.py", "apply(self, dataset, *, rng)", "apply(self, dataset)"),
        Mistake("bots.py", "return dataset.take", "dataset.take"),
        Mistake("conf/filter/no_bots.yaml", "_target_: recexp.filters.base.Filters", "_target_: bots.DropBots"),
        Mistake("conf/filter/no_bots.yaml", "hourly: 50", "hourly: 1"),
        Mistake("bots.py", "~np.isin(rows.users, bots)", "np.random.random(len(rows)) < 0.5", check=True),
        Mistake("bots.py", "~np.isin(rows.users, bots)", "rng.random(len(rows)) < 0.5", check=True),
    ],
    "add_a_dataset": [
        Mistake("shop.py", "def check(self)", "def verify(self)"),
        Mistake("conf/dataset/orders.yaml", "shop.db", "shops.db"),
        Mistake("shop.py", "return Dataset.from_frame(", "return dict("),
        Mistake("shop.py", '"item": "product", ', ""),
        Mistake("shop.py", "            duplicates=", "            # duplicates="),
        Mistake("shop.py", " ORDER BY ordered, customer, product", " ORDER BY random()", check=True),
        Mistake("shop.py", "name=self.name,", "", check=True),
    ],
}


@pytest.fixture
def folder(workplace: Path, inside: Callable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which files are changed faster than the times of compiled ones tell."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return workplace


@pytest.mark.parametrize("name", MEASURED)
def test_the_commands_and_checks_of_a_page_work(
    name: str, page: Callable, folder: Path, inside: Callable, runs: Callable
) -> None:
    written = begin(page(name), folder)
    for words in written.commands:
        later = {"compare", "evaluate"} & {*words}  # about runs that are there
        done = inside(*words, *(() if later else small(words)))
        assert done.returncode == 0 and done.stdout, f"{words}: {done.stderr}"
    assert MEASURED[name] in runs()[0].data.metrics
    exec("\n".join(written.snippets), {})


@pytest.mark.parametrize("name", MISTAKES)
def test_a_page_quotes_what_recexp_says_of_mistakes(name: str, page: Callable, folder: Path, inside: Callable) -> None:
    written = begin(page(name), folder)
    said = [answer(mistake, name, written, folder, inside) for mistake in MISTAKES[name]]
    assert [shortened(line, quote) for line, quote in zip(said, quotes(name), strict=True)] == quotes(name)


def begin(written: Any, folder: Path) -> Any:
    """Write a page's files, and make the database of the one that has one."""
    written.write(folder)
    if "make_shop.py" in written.files:
        runpy.run_path("make_shop.py")
    return written


def small(words: Sequence[str]) -> tuple[str, ...]:
    return SMALL[: None if "dataset=electronics" in words else 1]


def quotes(name: str) -> list[str]:
    """Return what is quoted in a page's tables of mistakes, in their last column."""
    text = (DOCS / f"{name}.md").read_text("utf-8").partition("## Mistakes")[2]
    cells = re.findall(r"^\| (?!mistake ).* \| (``?)(.+?)\1 \|$", text, re.MULTILINE)
    return [quoted.strip() for _, quoted in cells]


def shortened(said: str, quote: str) -> str:
    """Return what is said, cut where the quotation is: at its ` ...`."""
    start = quote.removesuffix(" ...")
    return quote if start != quote and said.startswith(start) else said


def answer(mistake: Mistake, name: str, written: Any, folder: Path, inside: Callable) -> str:
    """Make a mistake, return what recexp says of it, and mend it again."""
    file, text = folder / mistake.file, written.files[mistake.file]
    assert mistake.old in text
    file.write_text(text.replace(mistake.old, mistake.new))
    for key in [
        key for key, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(f"{folder}/")
    ]:
        del sys.modules[key]
    try:
        if mistake.check:
            with pytest.raises(AssertionError) as caught:
                exec("\n".join(written.snippets), {})
            return str(caught.value)
        words = [word for word in written.commands[0] if word != "-m" and not re.search("=[^[]+,", word)]
        done = inside(*words, *small(words))
        assert done.returncode != 0
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("recexp: ")]
        return line.removeprefix("recexp: ")
    finally:
        file.write_text(text)
