"""list the datasets with their size, terms and files"""

from argparse import Namespace
from collections.abc import Callable, Iterator

from recexp import config
from recexp.cli.parsing import Parser
from recexp.errors import DataError


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser("datasets", __doc__, example="recexp datasets")


def _absent(check: Callable[[], None]) -> str:
    """Return what happens where a dataset is used that is not on this machine; `check` is its own."""
    try:
        check()
    except DataError as error:
        return str(error)
    return "not on this machine; downloaded on first use"


def run(given: Namespace) -> Iterator[str]:
    """Yield what is known of every dataset that can be chosen."""
    from omegaconf import OmegaConf

    from recexp.config.experiments import component

    for name in config.options("dataset"):
        cfg = config.compose([f"dataset={name}"])
        node, missing = cfg.dataset, sorted(key for key in OmegaConf.missing_keys(cfg) if key.startswith("dataset."))
        if missing:
            where = " ".join(["yours:", f"recexp dataset={name}", *(f"{key}=..." for key in missing)])
        else:
            source = component(cfg, "dataset")
            made = "none: generated from its parameters" if source.files() == {} else None
            where = source.location() or made or _absent(source.check)
        yield f"{name}\n  size   {node.size}\n  terms  {node.terms}\n  files  {where}"
