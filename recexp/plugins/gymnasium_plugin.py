"""What gymnasium finds of ours: `gymnasium.make("ElectronicsStore-v0")`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recexp.environments.gym import VisitorEnv

STORE = "ElectronicsStore-v0"


def register() -> None:
    """Tell gymnasium of our environments, which it does by itself where recexp is installed (an entry point)."""
    from gymnasium.envs import registration

    if STORE not in registration.registry:
        registration.register(STORE, entry_point=f"{__name__}:electronics_store")


def electronics_store(overrides: Sequence[str] = ()) -> "VisitorEnv":
    """Return the store, with values other than those of its yaml: `overrides=["environment.slate=5"]`."""
    from recexp.config.experiments import make
    from recexp.environments.gym import VisitorEnv

    return VisitorEnv(make("environment=electronics", *overrides))
