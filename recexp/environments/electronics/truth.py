"""Ground truth that no log reveals, written to files for evaluating models; never part of a dataset."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recexp.environments.electronics.calendar import CONTEXT_WEIGHT, DEVICES, HOURS
from recexp.environments.electronics.catalog import BRANDS, CATEGORIES
from recexp.environments.electronics.people import CITIES
from recexp.environments.electronics.world import ENTRIES, EVENTS, Log, World
from recexp.errors import DataError

LEVELS = {"month": tuple(f"{month:02}" for month in range(1, 13)), "hour": HOURS, "device": DEVICES, "city": CITIES}
"""Of each context, in the order of `World.effects`."""


def check_folder(folder: Path, key: str) -> None:
    """Raise DataError if the ground truth cannot be written to a folder, which is set by the config `key`."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{key}: {folder} is a file; name a folder")
    if not folder.absolute().parent.is_dir():
        raise DataError(f"{key}: there is no folder {folder.absolute().parent}")


def write_truth(folder: Path, world: World, log: Log, order: np.ndarray) -> None:
    """Write the ground truth as parquet tables, replacing existing files.

    rows : one row for each row of the dataset, which is the log in the given `order`, int (m,). For views, `exposure`
        is the probability that a page shows the product to this visitor, and `click` the probability of a click when
        shown in this position. For ratings, `rating` is the probability that a rating of this value is submitted. All
        three are NaN elsewhere. `entry`: how the visit began; `place`: the product's position on its page, from 0; -1
        if it was not on a page.
    users, items : hidden taste, readiness, affinities, quality and exposure, by id.
    effects : the effect of month, hour, device and city on the liking of each category.
    """
    folder.mkdir(exist_ok=True)
    tables = {
        "rows": _rows(log, order),
        "users": _users(world),
        "items": _items(world),
        "effects": _effects(world),
    }
    for name, columns in tables.items():
        _write(columns, folder / f"{name}.parquet")


def _write(columns: Mapping[str, np.ndarray], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)


def _rows(log: Log, order: np.ndarray) -> dict[str, np.ndarray]:
    viewed, rated = (log.events == EVENTS.index(name) for name in ("view", "rating"))
    nan = np.float32(np.nan)
    return {
        "exposure": np.where(viewed, log.exposures, nan)[order],
        "click": np.where(viewed, log.clicks, nan)[order],
        "rating": np.where(rated, log.ratings, nan)[order],
        "entry": np.array(list(ENTRIES))[log.entries[order]],
        "place": log.places[order],
    }


def _users(world: World) -> dict[str, np.ndarray]:
    people = world.people
    return {
        "user_id": np.arange(1, len(people) + 1),
        "activity": people.activity,
        "readiness": people.readiness,
        **{f"taste_{d}": column for d, column in enumerate(people.taste.T)},
        **{f"likes {one.name}": column for one, column in zip(CATEGORIES, people.categories.T)},
        **{f"likes {brand}": column for brand, column in zip(BRANDS, people.brands.T)},
    }


def _items(world: World) -> dict[str, np.ndarray]:
    catalog = world.catalog
    return {
        "item_id": np.arange(1, len(catalog) + 1),
        "quality": catalog.quality,
        "exposure": catalog.exposure,
        **{f"taste_{d}": column for d, column in enumerate(catalog.taste.T)},
    }


def _effects(world: World) -> dict[str, np.ndarray]:
    rows = [
        (context, level, category.name, CONTEXT_WEIGHT * effect)
        for context, levels in LEVELS.items()
        for category, of_category in zip(CATEGORIES, world.effects[context])
        for level, effect in zip(levels, of_category, strict=True)
    ]
    context, level, category, effect = zip(*rows)
    return {
        "context": np.array(context),
        "level": np.array(level),
        "category": np.array(category),
        "effect": np.array(effect),
    }
