"""Profile: the content of a file, and the config that reads it.

guess (roles of columns) -> facts (counts over all rows) -> config_text (the yaml) and text (the printed report).
"""

from recexp.profile.profiling import Given, Profile, profile_dataset, profile_file

__all__ = ["Given", "Profile", "profile_dataset", "profile_file"]
