"""FILE.zip [tracking.uri=...]: add an exported run to the store"""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from recexp.cli.parsing import STORE, Parser


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser(
        "import",
        __doc__,
        example="recexp import run.zip",
        words=(1, 1),
        overrides={
            **STORE,
            "tracking.experiment=NAME": "target experiment; default: the original one",
        },
    )


def run(given: Namespace) -> Iterator[str]:
    """Yield the run's id in this store; one that is there already is not taken twice."""
    from recexp.history import rebuild, transfer
    from recexp.history.archive import Archive

    tracking, _ = rebuild.store_and_overrides(given.overrides)
    with transfer.opened(Path(given.words[0])) as parcel:
        if not any(word.startswith("tracking.experiment=") for word in given.overrides):
            tracking = replace(tracking, experiment=str(parcel.record["experiment"]))
        with tracking.open() as store:
            experiment_id = store.experiment_id
        with Archive(tracking.uri) as archive:
            run_id, new = transfer.restore(archive, parcel, experiment_id)
    origin = parcel.record["id"]
    if new:
        yield f"run {run_id}: imported from {origin} into {tracking.experiment}; recexp reproduce {run_id} repeats it"
    else:
        yield f"run {run_id}: is already in the store{'' if run_id == origin else f', imported from {origin}'}"
