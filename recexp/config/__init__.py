"""From yaml and overrides to validated components: the home of all that knows Hydra's configs.

composing (one config of many files) -> building (one component of a node) -> experiments (a runner and all its
components). Only the last imports what is built. overrides: the words of a command.
"""

from recexp.config.building import build
from recexp.config.composing import compose, plain, read, translate_errors, words_of
from recexp.config_files.folders import flags, groups, options, search_dirs, use_config_dirs, within

__all__ = [
    "build",
    "compose",
    "flags",
    "groups",
    "options",
    "plain",
    "read",
    "search_dirs",
    "translate_errors",
    "use_config_dirs",
    "within",
    "words_of",
]
