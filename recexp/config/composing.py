"""From yaml and overrides to one config, as Hydra composes it; errors are reported in our own words."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp import yaml_files
from recexp.config.building import refusal
from recexp.config_files.folders import elsewhere, options
from recexp.errors import ConfigError, unknown
from recexp.folders import conf_dir

if TYPE_CHECKING:
    from omegaconf import DictConfig


def compose(overrides: Sequence[str] = ()) -> "DictConfig":
    """Compose conf/config.yaml, Hydra's own part included, with command-line style overrides; raises ConfigError."""
    from hydra import compose as hydra_compose

    with translate_errors(overrides), hydra_config():
        return hydra_compose("config", overrides=list(overrides), return_hydra_config=True)


def hydra_config() -> AbstractContextManager[None]:
    """Return a block in which Hydra knows our config: that of the sweep we are in, or one of our own."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from recexp.config_files import hydra_loader

    hydra_loader.install()
    if GlobalHydra.instance().is_initialized():
        return nullcontext()
    return initialize_config_dir(version_base="1.3", config_dir=str(conf_dir()), job_name="recexp")


def plain(cfg: "DictConfig", *, whole: bool = True) -> dict[str, Any]:
    """Return our part of the config as resolved data; raises ConfigError for what is missing or cannot be resolved.

    Unless it has to be `whole`, what is missing stays `???`.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    cfg = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    missing: list[str] = []
    with suppress(OmegaConfBaseException):  # of what cannot be resolved; the next step knows its key
        missing = sorted(OmegaConf.missing_keys(cfg))
    try:
        if missing and whole:
            raise ConfigError("\n".join(f"{key}: is missing; set {key}=..." for key in missing))
        return mapping(OmegaConf.to_container(cfg, resolve=True))
    except OmegaConfBaseException as error:
        raise ConfigError(_of_omegaconf(error)) from error


def words_of(hydra: Any, part: str = "task") -> list[str]:
    """Return the words that a config was composed of, each `${...}` in them as it was typed."""
    from omegaconf import OmegaConf

    words: list[str] = OmegaConf.to_container(hydra.overrides[part], resolve=False)  # type: ignore[assignment]
    return words


def mapping(node: Any) -> dict[str, Any]:
    """Return a node that is a mapping as it is; raises ConfigError for another."""
    if not isinstance(node, dict):
        raise ConfigError(f"a config must be keys and values (got {node!r})")
    return node


def read(path: Path) -> dict[str, Any]:
    """Return what a yaml file holds, each `${...}` as it stands; raises ConfigError, which names the file."""
    from omegaconf import OmegaConf

    from recexp.config_files.hydra_loader import node_of

    return mapping(OmegaConf.to_container(node_of(yaml_files.read_text(path), path)))


def resolved(value: Any, root: Mapping[str, Any]) -> Any:
    """Return a value in which each `${...}` is replaced by what it names in `root`, a whole config."""
    from omegaconf import OmegaConf

    return mapping(OmegaConf.to_container(OmegaConf.create({**root, "value": value}), resolve=True))["value"]


@contextmanager
def translate_errors(overrides: Iterable[str]) -> Iterator[None]:
    """Turn Hydra's own errors about overrides into ours: which key, what was found, what is allowed."""
    from hydra.errors import HydraException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException
    from pydantic import ValidationError
    from yaml import YAMLError

    try:
        yield
    except YAMLError as error:
        raise ConfigError(str(error)) from error
    except OverrideParseException as error:
        raise ConfigError(_unreadable(error.override, str(error))) from error
    except OmegaConfBaseException as error:
        raise ConfigError(_of_omegaconf(error)) from error
    except HydraException as error:
        if isinstance(error.__cause__, ValidationError):  # of a launcher or sweeper, which Hydra builds
            where = str(error).rpartition("full_key: ")[2].strip()
            raise refusal(error.__cause__, where, []) from error
        reason = f": {_of_omegaconf(error.__cause__)}" if str(error).startswith("Error merging") else ""
        raise ConfigError(
            _reworded(str(error), list(overrides), getattr(error.__cause__, "full_key", None)) + reason
        ) from error
    except (TypeError, ValueError) as error:  # OmegaConf's to evaluation.metrics.ndcg=1, Hydra's to filter=null
        words = " ".join(overrides)
        if "is not an int" in str(error) or "invalid literal for int" in str(error):
            raise ConfigError(f"override the whole list, key=[...]: {words}") from error
        if "Config group override" in str(error):
            raise ConfigError(f"a group needs one of its options, not null: {words}") from error
        raise


def _of_omegaconf(error: BaseException | None) -> str:
    """Return what OmegaConf says, with the key that it says it of."""
    key, message = getattr(error, "full_key", None), str(error).splitlines()[0]
    return f"{key}: {message}" if key and not message.startswith(key) else message


def _unreadable(override: str, message: str) -> str:
    """Return that Hydra cannot read an override, and how a value with letters and signs of all kinds is written."""
    key, equals, value = override.partition("=")
    said = message.splitlines()[0]
    reason = "" if said.startswith("Lexer") or not said else f" ({said})"
    if not equals or not re.fullmatch(r"[+~]{0,2}[\w@./:-]+", key, re.ASCII):
        return f"{override}: cannot be read{reason}; an override is key=value, such as seed=3"
    mark = "'" if '"' in value else '"'
    quoted = shlex.quote(f"{key}={mark}{value}{mark}")
    return (
        f"{key}: the value cannot be read{reason}; quote text with such characters, within the shell quotes: {quoted}"
    )


def _reworded(message: str, overrides: list[str], unknown_key: str | None) -> str:
    if key := re.match(r"Could not override '([^']+)'", message):
        if key[1] == "experiment":
            named = next((word for word in overrides if word.startswith("experiment=")), "experiment=NAME")
            return f"{named}: a preset is added; write +{named}"
        if "No match in the defaults list" in message and options(key[1].partition("@")[0]):
            return _no_such_component(key[1].rpartition("@")[2], overrides)
        if options(key[1].partition("@")[0]) and (added := re.search(r"To append .* use (\S+)$", message)):
            return f"{added[1].removeprefix('+')}: nothing is chosen there yet; write {added[1]}"
        within = unknown_key if unknown_key and unknown_key.startswith(f"{key[1]}.") else key[1]  # a key of a mapping
        return _no_such_key(within, [word for word in overrides if word.partition("=")[0] != key[1]])
    if chosen := re.match(r"In '(\w+)/(\w+)': Could not override '(\w+)", message):
        return _no_such_choice(chosen[1], chosen[2], chosen[3], overrides)
    if (option := re.search(r"Could not find '([^']+)/([^'/]*)'", message)) and options(option[1]):
        known = unknown(option[1], option[2] or "''", list(options(option[1])), what="unknown option")
        return known + elsewhere(option[1], option[2])
    return message.strip()


def _no_such_component(name: str, overrides: list[str]) -> str:
    """Return that the chosen runner has none of that name, and what it has."""
    if any(word.startswith("~runner") for word in overrides):
        return f"runner: choose one with runner=..., of {', '.join(options('runner'))}; leave ~runner out"
    runner, components = _components(overrides)
    return f"{name}: runner={runner} has no {name}; it has {', '.join(components)}"


def _no_such_choice(group: str, option: str, chosen: str, overrides: list[str]) -> str:
    """Return that an option cannot choose one of another group, with this runner."""
    runner, components = _components(overrides)
    if group not in components or chosen not in components:
        return _no_such_component(group if group not in components else chosen, overrides)
    return f"{group}={option}: it chooses a {chosen}; in the defaults of runner={runner}, put {group} behind {chosen}"


def _components(overrides: list[str]) -> tuple[str, list[str]]:
    """Return the chosen runner and the groups of its components."""
    runner = next((word.partition("=")[2] for word in overrides if word.lstrip("+").startswith("runner=")), "offline")
    node = plain(compose([word for word in overrides if word.startswith("runner=")]))
    shared = ("runner", "tracking", "logging")
    return runner, [key for key, value in node.items() if isinstance(value, dict) and key not in shared]


def _no_such_key(key: str, others: list[str]) -> str:
    from omegaconf import OmegaConf

    parent, _, name = key.rpartition(".")
    if parent.startswith("hydra."):  # the same in all jobs
        others = [word for word in others if word.startswith("hydra")]
    try:
        node: Any = OmegaConf.to_container(compose(others))
    except ConfigError:  # a sweep
        return _unknown_in_sweep(key, others)
    for depth, (part, following) in enumerate(pairwise(parts := key.split("."))):
        node = node.get(part) if isinstance(node, dict) else node[int(part)] if isinstance(node, list) else None
        if isinstance(node, list) and not (following.isdecimal() and int(following) < len(node)):
            return f"{key}: override the whole list: '{'.'.join(parts[: depth + 1])}=[...]'"
    allowed = [k for k in node if k not in ("_target_", "hydra")] if isinstance(node, dict) else []
    if node == {}:
        return f"{key}: unknown; +{key}=... adds it"
    having = ", ".join(f"{parent}={option}" for option in _options_with(parent, name)[:3])
    return unknown(parent, name, allowed) + (f"; it is a key of {having}" if having else "")


def _unknown_in_sweep(key: str, words: list[str]) -> str:
    """Return with which options of a sweep over the group of a key it is unknown."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    group = key.partition(".")[0]
    with hydra_config():
        parser = OverridesParser.create(GlobalHydra.instance().config_loader())
        parsed = parser.parse_overrides(words)
    fixed = [word for word, override in zip(words, parsed) if not override.is_sweep_override()]
    listed = [override for override in parsed if override.is_sweep_override() and not override.is_interval_sweep()]
    swept = [
        one for override in listed if override.get_key_element() == group for one in override.sweep_string_iterator()
    ]
    if not swept and len(fixed) < len(words):
        return _no_such_key(key, fixed)
    lacking = []
    for option in swept:
        node: Any = OmegaConf.to_container(compose([*fixed, f"{group}={option}"]))
        for part in key.split("."):
            node = node.get(part, ...) if isinstance(node, dict) else ...
        lacking += [f"{group}={option}"] if node is ... else []
    where = f"with {', '.join(lacking)}; sweep these without it" if lacking else "in some of the jobs"
    return f"{key}: unknown {where}"


def _options_with(group: str, key: str) -> list[str]:
    """Return the options of a group whose yaml has a key; those that cannot be read are left out."""
    names = []
    for name, path in options(group).items():
        with suppress(ConfigError, OSError):
            names += [name] if key in read(path) else []
    return names
