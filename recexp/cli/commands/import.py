"""FILE.zip [tracking.uri=...]: take an exported run into the store"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from recexp.config import rebuilding
from recexp.errors import ConfigError
from recexp.tracking import Archive, transfer


def run(arguments: list[str]) -> Iterator[str]:
    """Yield the run's id in this store; one that is there already is not taken twice."""
    tracking, words = rebuilding.told(arguments)
    if len(words) != 1:
        got = " ".join(arguments) or "nothing"
        raise ConfigError(f"recexp import takes FILE.zip [tracking.uri=... tracking.experiment=...] (got {got})")
    with transfer.opened(Path(words[0])) as parcel:
        if not any(word.startswith("tracking.experiment=") for word in arguments):
            tracking = replace(tracking, experiment=str(parcel.record["experiment"]))
        with tracking.open() as store:
            experiment_id = store.experiment_id
        with Archive(tracking.uri) as archive:
            run_id, new = transfer.restore(archive, parcel, experiment_id)
    origin = parcel.record["id"]
    if new:
        yield f"run {run_id}: imported from {origin} into {tracking.experiment}; recexp reproduce {run_id} repeats it"
    else:
        yield f"run {run_id}: is in the store already{'' if run_id == origin else f', imported from {origin}'}"
