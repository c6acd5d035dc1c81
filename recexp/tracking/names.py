"""Names and values as MLflow takes them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from recexp.secrets import mask

MAX_NAME = 250
MAX_VALUE = 6000


def clean(name: str) -> str:
    """Return a name that MLflow accepts for a metric, param or tag."""
    return re.sub(r"[^\w\-. :/]", "_", name, flags=re.ASCII)[:MAX_NAME]


def search_terms(tags: Mapping[str, str]) -> str:
    """Return MLflow's filter for the runs that carry all of `tags`."""
    marks = {key: '"' if "'" in value else "'" for key, value in tags.items()}
    return " and ".join(f"tags.`{key}` = {marks[key]}{value}{marks[key]}" for key, value in tags.items())


def as_params(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a resolved config as a run's params: flat, and each component under its name.

    `algorithm: EASE`, `algorithm.l2: 500`; a class that is not recexp's has its module, too.
    """
    return dict(component_param(name, value) for name, value in flatten(config).items())


def component_param(name: str, value: str) -> tuple[str, str]:
    """Return a param as runs have it now, where earlier ones have `algorithm._target_` and a whole path.

    MLflow compares runs by the first three params that differ, sorted by name, and shows ten letters of their values.
    """
    component, isclass, _ = name.partition("._target_")
    return component, value.rpartition(".")[2] if isclass and value.startswith("recexp.") else value


def flatten(node: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested params under dotted names; items of a list of mappings are numbered from 0.

    Values other than text are written as in yaml: `null`, `true`, `[5, 10]`.
    """
    flat: dict[str, str] = {}
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            value = {str(number): item for number, item in enumerate(value)}
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{name}."))
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            flat[clean(name)] = mask(text)[:MAX_VALUE]
    return flat
