"""Plugins of Hydra, in the namespace package in which it looks for them: what `hydra/launcher=...` can be."""

import sys
from pathlib import Path


def use() -> None:
    """Let Hydra find them: this folder goes on the path, and `hydra_plugins` in it joins those of other packages."""
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.append(folder)
