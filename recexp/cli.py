"""The command `recexp`. Exit codes: 0 done, 1 a run failed, 2 wrong config or input."""

import importlib
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

import recexp
from recexp import config
from recexp.building import unknown
from recexp.errors import ConfigError, RecexpError
from recexp.sweep import Sweep
from recexp.tracking import process

USAGE = """\
recexp: experiments with recommender systems

  recexp algorithm=ease split=temporal seed=3     run one experiment
  recexp -m 'algorithm=glob(*)' seed=1,2,3        run all combinations
  recexp GROUP --help                             what can be chosen, e.g. recexp algorithm --help
  recexp algorithm=ease --help                    the config that would run, with every value that can be set
  --config-dir DIR                                your own yaml; a file there wins over ours of the same name

"""


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal without the sign ± still gets its table
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
    try:
        arguments = _take_config_dirs(arguments)
        wants_help = any(a in ("--help", "-h") for a in arguments)
        words = [a for a in arguments if not a.startswith("-")]
        if arguments == ["--version"]:
            print(f"recexp {recexp.__version__}")
        elif wants_help and not any("=" in word for word in words):
            _help(words[0] if words and words[0] not in ("run", *_commands()) else None)
        elif words[:1] and words[0] in _commands():
            arguments.remove(words[0])
            for line in importlib.import_module(f"recexp.commands.{words[0]}").run(arguments):
                print(line, flush=True)
        else:
            if words[:1] == ["run"]:
                arguments.remove("run")
            _hydra(arguments)
    except KeyboardInterrupt:
        return _say("interrupted", 1)
    except BrokenPipeError:  # the reader has seen enough: `recexp datasets | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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


def _commands() -> dict[str, str]:
    """Return the first line of each command's file, by name."""
    folder = Path(__file__).parent / "commands"
    files = (path for path in sorted(folder.glob("*.py")) if path.stem != "__init__")
    return {path.stem: path.read_text().splitlines()[0].strip('"') for path in files}


def _help(group: str | None) -> None:
    if group is None:
        print(USAGE)
        for name, line in _commands().items():
            print(f"  recexp {name:<12} {line}")
        print("\nWhat can be chosen, beside seed=1 refit=true resume=false debug=false:")
        for name in config.groups():
            print(f"  {_override(name, '|'.join(config.options(name)))}")
        return
    if group not in config.groups():
        raise ConfigError(unknown("", group, config.groups()))
    for name, path in config.options(group).items():
        lines = [line.removeprefix("#").strip() for line in path.read_text().splitlines()[:2] if line.startswith("#")]
        print(f"  {_override(group, name):<44} {next((line for line in lines if not line.startswith('@')), '')}")


def _override(group: str, value: str) -> str:
    """Return the words that choose an option; presets are added, metrics listed."""
    forms = {"experiment": f"+experiment={value}", "metric": f"evaluation.metrics=[{value.replace('|', ',')}]"}
    return forms.get(group, f"{group}={value}")


def _hydra(arguments: list[str]) -> None:
    if {"-m", "--multirun"} & {*arguments} or not any(a.startswith("-") for a in arguments):  # else it only shows
        process.start()
    import hydra

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to us instead of being printed and lost
    sweep = Sweep()
    main = hydra.main(version_base="1.3", config_path=str(config.conf_dir()), config_name="config")(sweep.job)
    sys.argv = [sys.argv[0], *arguments]
    with config.explained([a for a in arguments if not a.startswith("-")]):
        try:
            main()
        except Exception as error:
            if error not in sweep.failures:
                raise
    sweep.end()
