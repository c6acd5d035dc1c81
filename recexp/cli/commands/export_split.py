"""DIR [dataset=...] [split=...] [...]: write train, validation and test as CSV for another system"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from recexp import config
from recexp.cli.parsing import Parser
from recexp.errors import ConfigError


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser(
        "export-split",
        __doc__,
        example="recexp export-split dataset=movielens_100k split=temporal seed=1 files",
        words=(1, 1),
        overrides={"KEY=VALUE": "dataset, filter, split, seed and evaluation, as for a run"},
        notes="Evaluate the other system's lists with algorithm=lists algorithm.file=FILE.",
    )


def run(given: Namespace) -> Iterator[str]:
    """Yield what was written of each fold, and how the lists of another system are judged."""
    from recexp import console
    from recexp.config import experiments
    from recexp.prepared.split_files import FILES, write_split
    from recexp.runners.fold import prepare
    from recexp.sweeps.jobs import command_of

    folder = Path(given.words[0]).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"export-split: {folder} exists and is not an empty folder; choose another one")
    experiment = experiments.experiment(config.compose(given.overrides), tags={})
    if missing := [name for name in ("dataset", "filter", "split", "evaluation") if name not in experiment.components]:
        raise ConfigError(f"export-split: runner={type(experiment.runner).__name__} has no {missing[0]}")
    console.configure_logging(experiment.config["logging"])
    with prepare(experiment, cache=True) as prepared:
        for split in prepared.splits(prepared.load()):
            part = folder if split.fold is None else folder / f"fold_{split.fold}"
            for name, rows in write_split(experiment["evaluation"].applied(split), part).items():
                yield f"{part / name}.csv: {rows:,} rows, {FILES[name]}"
    words = [word for word in given.overrides if not word.startswith(("algorithm=", "algorithm."))]
    yield f"evaluate its lists: {command_of([*words, 'algorithm=lists', 'algorithm.file=FILE'])}"
