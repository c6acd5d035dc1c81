"""The command `recexp`. Exit codes: 0 done, 1 a run failed, 2 wrong config or input, 130 interrupted."""

import gc
import importlib
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper

from recexp import config, plugins
from recexp.cli import help
from recexp.errors import ConfigError, InterruptedRunError, RecexpError, error_message, unknown
from recexp.secrets import mask
from recexp.terminal import visible
from recexp.trust import Trust
from recexp.version import __version__

LONG_WORD, LONG_LINE = 400, 2000
"""Characters of a message from which it is cut: a value may be a whole file."""


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without the sign ± still gets its table
    code = run(sys.argv[1:])
    logging.shutdown()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # all is written; to take thousands of imported modules apart would cost another second


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors take one line, with a traceback only under debug=true."""
    plugins.use()
    try:
        arguments = _take_folders_and_trust(arguments)
        wants_help = any(a in ("--help", "-h") for a in arguments)
        words = [a for a in arguments if not a.startswith("-")]
        if arguments == ["--version"]:
            print(f"recexp {__version__}")
        elif words[:1] and words[0] in help.commands():
            arguments.remove(words[0])
            for line in _command(words[0], arguments, wants_help):
                print(visible(line), flush=True)
        elif wants_help and (help.chosen(words) or not any("=" in word for word in words)):
            for line in help.about(words):
                print(line)
        else:
            if words[:1] == ["run"]:
                arguments.remove("run")
                words = words[1:]
            if not any(a.startswith("-") for a in arguments) or {"-m", "--multirun"} & {*arguments}:
                _refuse_words(words)
            _hydra([*(a for a in arguments if a not in ("--help", "-h")), *(["--cfg", "job"] if wants_help else [])])
    except KeyboardInterrupt:
        return _say("interrupted", InterruptedRunError.exit_code)
    except BrokenPipeError:  # the reader has seen enough: `recexp datasets | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # whatever failed, a person gets one line
        if _debug(arguments):
            traceback.print_exc()
        return _say(*_message_and_code(error))
    return 0


def _command(name: str, arguments: list[str], wants_help: bool) -> Iterator[str]:
    command = importlib.import_module(f"recexp.cli.commands.{name.replace('-', '_')}")
    parser = command.parser()
    if wants_help:
        yield parser.format_help().rstrip()
    else:
        yield from command.run(parser.read(arguments))


def _refuse_words(words: list[str]) -> None:
    for word in words:
        if "=" in word or word.startswith("~"):
            continue
        if word in config.groups():
            raise ConfigError(f"{word}: `recexp {word} --help` lists the options; {help.override(word, 'NAME')}")
        raise ConfigError(f"{unknown('', word, list(help.commands()))}; an override is key=value, such as seed=3")


def _message_and_code(error: Exception) -> tuple[str, int]:
    """Return what to say of an error, and the exit code."""
    if isinstance(error, RecexpError):
        return str(error), error.exit_code
    if isinstance(error, PermissionError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error), ConfigError.exit_code
    return f"{error_message(error)}; debug=true shows the traceback", 1


def _debug(arguments: list[str]) -> bool:
    return any(word.lstrip("+").lower() == "debug=true" for word in arguments)


def _say(message: str, code: int) -> int:
    print("\n".join(f"recexp: {_short(visible(mask(line)))}" for line in message.splitlines()), file=sys.stderr)
    return code


def _short(line: str) -> str:
    """Return a line with what is left of a word, or of all, that is longer than anybody reads."""
    line = re.sub(rf"\S{{{LONG_WORD},}}", lambda word: f"{word[0][:100]} ... ({len(word[0]):,} characters)", line)
    return line if len(line) <= LONG_LINE else f"{line[:LONG_LINE]} ... ({len(line):,} characters)"


def _take_folders_and_trust(arguments: list[str]) -> list[str]:
    """Use and take out `--config-dir DIR` and `--trust NAME`, or `--config-dir=DIR` and `--trust=NAME`.

    RECEXP_CONFIG_DIR names a folder too; what its yaml name is not trusted for that.
    """
    rest: list[str] = []
    taken: dict[str, list[str]] = {"--config-dir": [], "--trust": []}
    remaining = iter(arguments)
    for argument in remaining:
        name, equals, value = argument.partition("=")
        name = "--config-dir" if name == "-cd" else name
        if name in taken:
            taken[name].append(value if equals else next(remaining, ""))
        else:
            rest.append(argument)
    folders, packages = taken.values()
    if "" in packages:
        raise ConfigError("--trust: must name top packages, such as shop,lab (got nothing)")
    usual = os.environ.get("RECEXP_CONFIG_DIR")
    config.use_config_dirs([*folders, *([usual] if usual else [])], Trust(tuple(packages), tuple(folders)))
    return rest


def _hydra(arguments: list[str]) -> None:
    if any(argument.startswith("--exp") for argument in arguments):
        raise ConfigError("--experimental-rerun: reads a pickle, which can run code; use recexp reproduce")
    from recexp.tracking import process  # the package loads pydantic, which help does without

    if {"-m", "--multirun"} & {*arguments} or not any(a.startswith("-") for a in arguments):  # else it only shows
        process.start()
    gc.disable()  # what is imported now lives on: to look through it again and again takes a tenth of the time
    from recexp.sweeps.command import run_command
    from recexp.sweeps.sweep import Sweep

    sweep = Sweep()
    run_command(sweep, arguments)
    sweep.end()
