"""From yaml and overrides to validated components: the home of all that knows Hydra's configs.

folders (where yaml lies) -> composing (one config of many files) -> building (one component of a node) -> assembling
(an experiment). Others lead to experiments by other ways: completing and rebuilding from a stored run, words and
searches from the command of a tuning.
"""

from recexp.config.building import build
from recexp.config.composing import compose, explained, parse, plain
from recexp.config.experiments import BASES, assemble, component, experiment, make, metric, metric_nodes, run
from recexp.config.folders import conf_dir, groups, options, search_dirs, use_config_dirs

__all__ = [
    "BASES",
    "assemble",
    "build",
    "component",
    "compose",
    "conf_dir",
    "experiment",
    "explained",
    "groups",
    "make",
    "metric",
    "metric_nodes",
    "options",
    "parse",
    "plain",
    "run",
    "search_dirs",
    "use_config_dirs",
]
