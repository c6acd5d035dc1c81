"""The version of this release: read by everything that says which code made a result."""

__version__ = "0.2.0"
