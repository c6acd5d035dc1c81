"""Profile: what a person's file holds, and the config that reads it.

guess (which column is for what) -> facts (counts over all rows) -> config_text (the yaml) and text (for a person).
"""

from recexp.profile.profiling import Given, Profile, profile_dataset, profile_file

__all__ = ["Given", "Profile", "profile_dataset", "profile_file"]
