"""The command `recexp`. Exit codes: 0 done, 1 a run failed, 2 wrong config or input."""

import logging
import logging.config
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp import config
from recexp.errors import ConfigError, RecexpError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recexp.runners.base import Outcome

log = logging.getLogger(__name__)

USAGE = """\
recexp: experiments with recommender systems

  recexp algorithm=ease split=temporal seed=3     run one experiment
  recexp -m 'algorithm=glob(*)' seed=1,2,3        run all combinations
  recexp GROUP --help                             what can be chosen, e.g. recexp algorithm --help
  recexp algorithm=ease --help                    the config that would run, with every value that can be set
  recexp datasets                                 data sets: size, terms, where the files lie
  recexp ui                                       open the results in the MLflow UI
  recexp recommend MODEL USER [N]                 the N best items for a user, from a saved model's folder
  --config-dir DIR                                your own yaml; a file there wins over ours of the same name

Overrides: seed=1 refit=true resume=false debug=false, and
"""


def main() -> None:
    """Run the command line and exit with its code."""
    code = run(sys.argv[1:])
    logging.shutdown()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # all is written; to take thousands of imported modules apart would cost another second


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors are told in a line, with a traceback only under debug=true."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a user's own classes, as `python -m recexp` finds them too
    commands: dict[str, Callable[[list[str]], None]] = {"datasets": _datasets, "recommend": _recommend, "ui": _ui}
    try:
        arguments = _take_config_dirs(arguments)
        wants_help = any(a in ("--help", "-h") for a in arguments)
        words = [a for a in arguments if not a.startswith("-")]
        if wants_help and (not words or (len(words) == 1 and words[0] in config.groups())):
            _help(words[0] if words else None)
        elif words[:1] and words[0] in commands:
            arguments.remove(words[0])
            commands[words[0]](arguments)
        else:
            if words[:1] == ["run"]:
                arguments.remove("run")
            _hydra(arguments)
    except KeyboardInterrupt:
        return _say("interrupted", 1)
    except RecexpError as error:
        if "debug=true" in arguments:
            raise
        return _say(str(error), error.exit_code)
    except Exception as error:  # the last line of defence: whatever failed, a person gets one line
        if "debug=true" in arguments:
            raise
        return _say(f"{type(error).__name__}: {error} (debug=true shows the traceback)", 1)
    return 0


def _say(message: str, code: int) -> int:
    print("\n".join(f"recexp: {line}" for line in message.splitlines()), file=sys.stderr)
    return code


def _take_config_dirs(arguments: list[str]) -> list[str]:
    """Use and take out `--config-dir DIR` and `--config-dir=DIR`; RECEXP_CONFIG_DIR names one too."""
    rest, folders = [], []
    given = iter(arguments)
    for argument in given:
        if argument in ("--config-dir", "-cd"):
            folders.append(next(given, ""))
        elif argument.startswith("--config-dir="):
            folders.append(argument.partition("=")[2])
        else:
            rest.append(argument)
    if os.environ.get("RECEXP_CONFIG_DIR"):
        folders.append(os.environ["RECEXP_CONFIG_DIR"])
    config.use_config_dirs(folders)
    return rest


def _help(group: str | None) -> None:
    if group is None:
        print(USAGE + "\n".join(f"  {name}={'|'.join(config.options(name))}" for name in config.groups()))
        return
    for name, path in config.options(group).items():
        first = path.read_text().partition("\n")[0]
        print(f"  {group}={name:<24} {first.removeprefix('#').strip() if first.startswith('#') else ''}")


def _hydra(arguments: list[str]) -> None:
    import hydra

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to us instead of being printed and lost
    sweeping = "-m" in arguments or "--multirun" in arguments
    failures: list[Exception] = []

    def task(cfg: "DictConfig") -> None:
        try:
            _job(cfg)
        except Exception as error:  # one failed job does not stop the others of a sweep
            if sweeping:
                log.error("failed: %s", error)
            failures.append(error)

    main = hydra.main(version_base="1.3", config_path=str(config.conf_dir()), config_name="config")(task)
    sys.argv = [sys.argv[0], *arguments]
    with config.explained([a for a in arguments if not a.startswith("-")]):
        main()
    if len(failures) > 1:
        raise RecexpError(f"{len(failures)} jobs failed; the first: {failures[0]}")
    if failures:
        raise failures[0]


def _job(cfg: "DictConfig") -> None:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import open_dict

    hydra = HydraConfig.get()
    sweeping = hydra.mode == RunMode.MULTIRUN
    with open_dict(cfg):
        cfg.hydra = hydra
    _configure_logging(config.plain(cfg)["logging"])
    runner, experiment = config.experiment(cfg, tags={"sweep": Path(hydra.sweep.dir).name} if sweeping else {})
    if sweeping:
        log.info("job %s: %s", hydra.job.num, experiment.command)
    _show(runner.run(experiment))


def _configure_logging(node: dict[str, Any]) -> None:
    levels = {"": node["level"], **node["levels"]}
    for name, level in levels.items():
        if str(level).upper() not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
            raise ConfigError(
                f"logging level of {name or 'recexp'}: must be debug, info, warning, error or critical (got {level!r})"
            )
    handlers = {"console": {"class": "logging.StreamHandler", "formatter": "line"}}
    if node["file"]:
        handlers["file"] = {
            "class": "logging.FileHandler",
            "filename": node["file"],
            "delay": True,
            "formatter": "line",
        }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname).1s %(name)s: %(message)s", "datefmt": "%H:%M:%S"}
            },
            "handlers": handlers,
            "loggers": {
                f"recexp.{name}".rstrip("."): {
                    "level": str(level).upper(),
                    "handlers": [] if name else list(handlers),
                    "propagate": bool(name),
                }
                for name, level in levels.items()
            },
        }
    )


def _show(outcomes: "list[Outcome]") -> None:
    """Print each outcome's test metrics, with half their 95 % interval, its run id and link."""
    from rich.console import Console
    from rich.table import Column, Table

    console = Console()
    for outcome in outcomes:
        cells: dict[str, dict[str, str]] = {}
        for name, value in outcome.metrics.items():
            metric, _, cutoff = name.partition("_at_")
            if (name.startswith("test") and cutoff) or metric in ("test/rmse", "test/mae"):
                low, high = outcome.intervals.get(name, (value, value))
                spread = f" ±{(high - low) / 2:.4f}" if high > low else ""
                cells.setdefault(metric, {})[cutoff] = f"{value:.4f}{spread}"
        cutoffs = list(dict.fromkeys(cutoff for row in cells.values() for cutoff in row))
        table = Table(Column("metric", no_wrap=True), *(f"at {cutoff}" if cutoff else "" for cutoff in cutoffs))
        for metric, row in cells.items():
            table.add_row(metric, *(row.get(cutoff, "") for cutoff in cutoffs))
        if cells:
            console.print(table)
        console.print(f"run {outcome.run_id}: {outcome.link}", soft_wrap=True, highlight=False)
    if outcomes:
        console.print(f"leaderboard, after `recexp ui`: {outcomes[-1].leaderboard}", soft_wrap=True, highlight=False)


def _datasets(arguments: list[str]) -> None:
    from omegaconf import OmegaConf

    from recexp.datasets.base import Source

    if arguments:
        raise ConfigError(f"recexp datasets takes no arguments (got {' '.join(arguments)})")
    for name in config.options("dataset"):
        cfg = config.compose([f"dataset={name}"])
        node, missing = cfg.dataset, sorted(key for key in OmegaConf.missing_keys(cfg) if key.startswith("dataset."))
        if missing:
            where = " ".join(["yours:", f"recexp dataset={name}", *(f"{key}=..." for key in missing)])
        else:
            source = config.build(OmegaConf.to_container(node), Source, "dataset")
            where = source.location() or "not on this machine yet; fetched or made on first use"
        print(f"{name}\n  size   {node.size}\n  terms  {node.terms}\n  files  {where}")


def _recommend(arguments: list[str]) -> None:
    from recexp.model import FittedModel

    if not 2 <= len(arguments) <= 3 or not all(n.isdigit() and int(n) for n in arguments[2:]):
        raise ConfigError(f"recexp recommend takes MODEL USER [N], N a number from 1 (got {' '.join(arguments) or 'nothing'})")
    folder, user, n = [*arguments, "10"][:3]
    for item, score in FittedModel.load(folder).recommend(user, n=int(n)):
        print(f"{item}\t{score:.6g}")


def _ui(arguments: list[str]) -> None:
    from recexp import tracking

    port, rest = "5000", []
    given = iter(arguments)
    for argument in given:
        if argument == "--port":
            port = next(given, "")
        else:
            rest.append(argument)
    if not port.isdigit():
        raise ConfigError(f"--port: must be a number (got {port!r})")
    store = config.build(config.plain(config.compose(rest))["tracking"], tracking.Tracking, "tracking")
    command, environment = tracking.ui_command(store.uri, int(port))
    print(
        f"the leaderboard will be at {tracking.ui_link(store.uri, store.experiment, int(port))} (Ctrl-C ends)",
        flush=True,
    )
    os.execve(command[0], command, environment)
