"""[--experiment NAME] [--last N]: list the newest runs with their status and results"""

from argparse import Namespace
from collections.abc import Iterator

from recexp import config
from recexp.cli.columns import aligned
from recexp.cli.parsing import STORE, Parser
from recexp.errors import ConfigError


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser("runs", __doc__, example="recexp runs --last 50", overrides=STORE)
    parser.add_argument(
        "--experiment", metavar="NAME", help="experiment of the runs; default: tracking.experiment, recexp"
    )
    parser.add_argument("--last", type=_number, default=20, metavar="N", help="number of runs; default: %(default)s")
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield a line a run, the newest first; failed and unfinished ones are there, too."""
    from recexp.config import experiments
    from recexp.history import run_list
    from recexp.history.archive import Archive

    tracking = experiments.component(config.compose(given.overrides), "tracking")
    experiment = given.experiment or tracking.experiment
    with Archive(tracking.uri) as archive:
        found = archive.runs(experiment, complete=False)
        rows = run_list.rows(found, given.last)
    if not rows:
        yield f"the experiment {experiment} has no runs"
        return
    yield from aligned([run_list.HEAD, *rows])
    yield "\nFor one run: recexp show RUN"


def _number(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise ConfigError(f"--last: must be a number from 1 (got {given})")
    return int(given)
