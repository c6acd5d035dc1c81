"""What is in the folder of a saved model: two recommenders, ids, histories, the rule of ranking, the items table."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recexp import identity
from recexp.data import Interactions
from recexp.errors import DataError, ModelError
from recexp.models import saving
from recexp.models.arrays import check_parts
from recexp.models.item_table import ItemTable
from recexp.ranking import Ranking
from recexp.version import __version__

log = logging.getLogger(__name__)


def write(path: Path, parts: Mapping[str, Any]) -> None:
    """Write the folder of a `FittedModel`, given its attributes by name."""
    model, arrays = saving.pack(parts["model"], "model")
    fallback, more = saving.pack(parts["fallback"], "fallback")
    histories: Interactions = parts["histories"]
    categories, described = parts["item_table"].pack()
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
        "exclude_seen": parts["exclude_seen"],
        "block_mib": parts["block_mib"],
        "explicit": histories.explicit,
        "time_unit": histories.time_unit,
        "categories": categories,
        "code": identity.code([parts["model"], parts["fallback"]]),
    }
    saving.write(path, header, {**arrays, **more, **own, **described})


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
        _tell_changes(path, header.get("code", {}), identity.code([model, fallback]))
        return {
            "model": model,
            "fallback": fallback,
            "ranking": Ranking(arrays["ties"], arrays["catalogue"]),
            "user_ids": user_ids,
            "item_ids": item_ids,
            "histories": histories,
            "trained": arrays["trained"],
            "exclude_seen": header["exclude_seen"],
            "block_mib": header["block_mib"],
            "item_table": ItemTable.unpack(header.get("categories", []), arrays, len(item_ids)),
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
