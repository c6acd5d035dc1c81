"""What gymnasium makes of `recexp.environments.gym:ElectronicsStore-v0`."""

from collections.abc import Sequence

from recexp.config.experiments import make
from recexp.environments.gym import VisitorEnv


def electronics_store(overrides: Sequence[str] = ()) -> VisitorEnv:
    """Return the store, with values other than those of its yaml: `overrides=["environment.slate=5"]`."""
    return VisitorEnv(make("environment=electronics", *overrides))
