"""[--experiment NAME] [--last N] [--since DAY]: list the newest runs with their status and results"""

from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime

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
    parser.add_argument(
        "--since", type=_day, metavar="DAY", help="only runs that began on this day or later: 2026-01-31"
    )
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield a line a run, the newest first; failed and unfinished ones are there, too."""
    from recexp.config import experiments
    from recexp.history import run_list
    from recexp.history.archive import Archive

    tracking = experiments.component(config.compose(given.overrides), "tracking")
    experiment = given.experiment or tracking.experiment
    with Archive(tracking.uri) as archive:
        found = [one for one in archive.runs(experiment, complete=False) if one.started >= (given.since or 0)]
        rows = run_list.rows(found, given.last)
    if not rows:
        yield f"the experiment {experiment} has no runs{'' if given.since is None else ' since that day'}"
        return
    yield from aligned([run_list.HEAD, *rows])
    yield "\nFor one run: recexp show RUN"


def _day(given: str) -> float:
    """Return when a day begins on this machine, in milliseconds since 1970."""
    try:
        return datetime.strptime(given, "%Y-%m-%d").timestamp() * 1000
    except ValueError:
        raise ConfigError(f"--since: must be a day such as 2026-01-31 (got {given})") from None


def _number(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise ConfigError(f"--last: must be a number from 1 (got {given})")
    return int(given)
