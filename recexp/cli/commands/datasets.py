"""data sets: size, terms, where the files lie"""

from collections.abc import Iterator

from omegaconf import OmegaConf

from recexp import config
from recexp.config.building import build
from recexp.datasets.base import Source
from recexp.errors import ConfigError


def run(arguments: list[str]) -> Iterator[str]:
    """Yield what is known of every data set that can be chosen."""
    if arguments:
        raise ConfigError(f"recexp datasets takes no arguments (got {' '.join(arguments)})")
    for name in config.options("dataset"):
        cfg = config.compose([f"dataset={name}"])
        node, missing = cfg.dataset, sorted(key for key in OmegaConf.missing_keys(cfg) if key.startswith("dataset."))
        if missing:
            where = " ".join(["yours:", f"recexp dataset={name}", *(f"{key}=..." for key in missing)])
        else:
            source = build(OmegaConf.to_container(node), Source, "dataset")
            where = source.location() or "not on this machine yet; fetched or made on first use"
        yield f"{name}\n  size   {node.size}\n  terms  {node.terms}\n  files  {where}"
