"""MODEL USER [N]: the N best items for a user, from a saved model's folder"""

from collections.abc import Iterator

from recexp.errors import ConfigError
from recexp.model import FittedModel


def run(arguments: list[str]) -> Iterator[str]:
    """Yield item ids and scores, best first."""
    if not 2 <= len(arguments) <= 3 or not all(n.isdigit() and int(n) for n in arguments[2:]):
        got = " ".join(arguments) or "nothing"
        raise ConfigError(f"recexp recommend takes MODEL USER [N], N a number from 1 (got {got})")
    folder, user, n = [*arguments, "10"][:3]
    for item, score in FittedModel.load(folder).recommend(user, n=int(n)):
        yield f"{item}\t{score:.6g}"
