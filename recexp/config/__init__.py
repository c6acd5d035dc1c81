"""From yaml and overrides to validated components: the home of all that knows Hydra's configs.

folders (where yaml lies) -> composing (one config of many files) -> building (one component of a node) -> experiments
(a runner and all its components). Only the last imports what is built. overrides: the words of a command.
"""

from recexp.config.building import build
from recexp.config.composing import compose, plain, translate_errors, words_of
from recexp.config.folders import conf_dir, flags, groups, options, search_dirs, use_config_dirs

__all__ = [
    "build",
    "compose",
    "conf_dir",
    "flags",
    "groups",
    "options",
    "plain",
    "search_dirs",
    "translate_errors",
    "use_config_dirs",
    "words_of",
]
