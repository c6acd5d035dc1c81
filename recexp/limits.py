"""Limits on the size of unpacked files and expanded yaml; larger input is refused."""

import os

from recexp.errors import ConfigError

VARIABLE = "RECEXP_LIMITS"
DEFAULTS = {
    "data_mib": 1024,  # of one packed file of data, unpacked
    "import_mib": 4096,  # of an exported run
    "ratio": 200,  # unpacked to packed
    "yaml_kib": 1024,
    "yaml_nodes": 100_000,  # with each alias counted as what it stands for
    "yaml_levels": 100,
}
FREE_MIB = 16
"""What is no larger than this when unpacked may be packed as well as it likes: tables of equal rows are."""


def get(name: str) -> int:
    """Return a limit, which `RECEXP_LIMITS=data_mib=4096,ratio=1000` raises. Raises ConfigError for other words."""
    limits = dict(DEFAULTS)
    for word in filter(None, os.environ.get(VARIABLE, "").split(",")):
        key, _, value = word.strip().partition("=")
        if key not in limits or not (value.isascii() and value.isdigit()):
            known = ", ".join(DEFAULTS)
            raise ConfigError(f"{VARIABLE}: must be NAME=WHOLE NUMBER,..., each name one of {known} (got {word})")
        limits[key] = int(value)
    return limits[name]


def raising(name: str) -> str:
    """Return how a limit is raised, as the end of a message."""
    return f"{VARIABLE}={name}=N sets another limit"


def excess(name: str, packed: int, unpacked: int) -> str | None:
    """Return an error text if `packed` bytes unpack to too many `unpacked` bytes, else None.

    `name` is the limit of the unpacked size in MiB.
    """
    if unpacked > get(name) << 20:
        return f"unpacks to more than {get(name)} MiB; {raising(name)}"
    if unpacked > max(FREE_MIB << 20, packed * get("ratio")):
        return f"unpacks to more than {get('ratio')} times its size of {packed:,} bytes; {raising('ratio')}"
    return None
