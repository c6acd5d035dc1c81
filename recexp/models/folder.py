"""What is in the folder of a saved model: recommenders, reranker, ids, histories, masks and ties, the items table."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recexp import identity
from recexp.data import Interactions
from recexp.errors import DataError, ModelError
from recexp.models import contexts, saving
from recexp.models.arrays import check_parts
from recexp.models.item_table import ItemTable
from recexp.ranking import Ranking
from recexp.rerankers.base import Reranker
from recexp.rerankers.none import NoReranker
from recexp.version import __version__

log = logging.getLogger(__name__)


def write(path: Path, parts: Mapping[str, Any]) -> None:
    """Write the folder of a `FittedModel`, given its attributes by name."""
    model, arrays = saving.pack(parts["model"], "model")
    fallback, more = saving.pack(parts["fallback"], "fallback")
    reranker, last = saving.pack(parts["reranker"], "reranker")
    histories: Interactions = parts["histories"]
    columns, described = parts["item_table"].pack()
    kinds, named = contexts.pack(parts["context"])
    own = {
        "user_ids": parts["user_ids"],
        "item_ids": parts["item_ids"],
        "trained": parts["trained"],
        "ties": parts["ranking"].ties,
        "catalogue": parts["ranking"].catalogue,
        "known.users": histories.users,
        "known.items": histories.items,
        "known.values": histories.values,
    }
    times = {"known.timestamps": histories.timestamps, "known.sessions": histories.sessions}
    own |= {name: array for name, array in times.items() if array is not None}
    header = {
        "recexp": __version__,
        "model": model,
        "fallback": fallback,
        "reranker": reranker,
        "exclude_seen": parts["exclude_seen"],
        "block_mib": parts["block_mib"],
        "explicit": histories.explicit,
        "time_unit": histories.time_unit,
        "context": kinds,
        **columns,
        "code": identity.code([parts["model"], parts["fallback"], parts["reranker"]]),
    }
    saving.write(path, header, {**arrays, **more, **last, **own, **described, **named})


def read(path: Path) -> dict[str, Any]:
    """Return the attributes of the `FittedModel` in a folder, by name. Raises ModelError."""
    header, arrays = saving.read(path)
    try:
        check_parts(header, arrays)
        user_ids, item_ids = arrays["user_ids"], arrays["item_ids"]
        histories = Interactions(
            users=arrays["known.users"],
            items=arrays["known.items"],
            values=arrays["known.values"],
            n_users=len(user_ids),
            n_items=len(item_ids),
            timestamps=arrays.get("known.timestamps"),
            sessions=arrays.get("known.sessions"),
            explicit=header["explicit"],
            time_unit=header.get("time_unit", "s"),  # models of 0.1.0 do not say
        )
        model, fallback = (saving.unpack(header[name], arrays) for name in ("model", "fallback"))
        reranker = _reranker(header, arrays)
        _tell_changes(path, header.get("code", {}), identity.code([model, fallback, reranker]))
        return {
            "model": model,
            "fallback": fallback,
            "context": contexts.unpack(header.get("context", {}), arrays),  # models of 0.1.0 have none
            "reranker": reranker,
            "ranking": Ranking(arrays["ties"], arrays["catalogue"]),
            "user_ids": user_ids,
            "item_ids": item_ids,
            "histories": histories,
            "trained": arrays["trained"],
            "exclude_seen": header["exclude_seen"],
            "block_mib": header["block_mib"],
            "item_table": ItemTable.unpack(header, arrays, len(item_ids)),
        }
    except KeyError as error:
        raise ModelError(f"{path} is a corrupt model: it lacks {error}") from error
    except (ValueError, DataError) as error:
        raise ModelError(f"{path} is a corrupt model: {error}") from error


def _tell_changes(path: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Warn where a person's own classes, or what they import, are not as they were when the model was fitted."""
    if changed := sorted(name for name in then if name in now and then[name] != now[name]):
        log.warning(
            "%s: the code of %s has changed since the model was fitted; its answers may differ",
            path,
            ", ".join(changed),
        )


def _reranker(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Reranker:
    """Return the reranker that was saved; before format 4 there was none."""
    if "reranker" not in header:
        return NoReranker()
    reranker: Reranker = saving.unpack(header["reranker"], arrays, Reranker)
    return reranker
