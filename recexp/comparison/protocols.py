"""In what the protocols of two runs differ, as text."""

import re
from collections.abc import Mapping

from recexp.class_names import current_name

_KEYS = 3
"""How many differing keys of a protocol a line lists; more would be unreadable."""
_ABOUT_DATA = {
    "data": "different rows under the same dataset name",
    "listed": "different features of the items without train rows",
}
"""Keys of a protocol that are about the data, and how a difference in them is described."""


def other_options(tags: Mapping[str, str], reference: Mapping[str, str]) -> dict[str, str]:
    """Return which other filter and split a run chose, as text by the key of its protocol."""
    pairs = {key: (tags.get(name), reference.get(name)) for key, name in (("filters", "filter"), ("split", "split"))}
    return {
        key: f"{key.removesuffix('s')}={here} instead of {there}"
        for key, (here, there) in pairs.items()
        if here and there and here != there
    }


def unlike(content: dict[str, str], reference: dict[str, str], options: dict[str, str], *, same_data: bool) -> str:
    """Return which keys differ, a few of many, beside the data where these are others; nothing if none does.

    Another filter or split of `options` stands for all its keys.
    """
    keys = [key for key in dict.fromkeys([*reference, *content]) if content.get(key) != reference.get(key)]
    if not same_data:
        keys = [key for key in keys if not _is_data(key, content.get(key), reference.get(key))]
    others = [key.removesuffix("class") for key in keys if key.endswith(".class")]  # whose fields are not the same ones
    told = [key for key in keys if not any(key.startswith(other) and key != f"{other}class" for other in others)]
    texts = [
        options.get(key.partition(".")[0]) or _difference(key, content.get(key), reference.get(key)) for key in told
    ]
    texts = list(dict.fromkeys(texts))
    return ", ".join(texts[:_KEYS]) + (f" and {len(texts) - _KEYS} more" if len(texts) > _KEYS else "")


def _is_data(key: str, *values: str | None) -> bool:
    """Whether a key of the protocol is about the data: the rows, or the very files of a split (their sha256)."""
    return key in _ABOUT_DATA or (
        key.startswith("split.") and all(re.fullmatch("[0-9a-f]{64}", v or "") for v in values)
    )


def _difference(key: str, here: str | None, there: str | None) -> str:
    if key in _ABOUT_DATA:
        return _ABOUT_DATA[key]
    key = re.sub(r"^filters\.", "filter.", key)  # as it is typed
    if key.endswith("class"):
        here, there = (value and current_name(value) for value in (here, there))
        short_names = [value and value.rpartition(".")[2] for value in (here, there)]
        if short_names[0] != short_names[1]:  # else the whole paths tell them apart
            here, there = short_names
    return f"no {key} instead of {there}" if here is None else f"{key}={here} instead of {there or 'none'}"
