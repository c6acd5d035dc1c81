"""MODEL USER [N]: the N best items for a user, from a saved model's folder"""

import logging
from collections.abc import Iterator

from recexp.errors import ConfigError
from recexp.model import FittedModel

log = logging.getLogger(__name__)


def run(arguments: list[str]) -> Iterator[str]:
    """Yield item ids and scores, best first."""
    if not 2 <= len(arguments) <= 3 or not all(n.isdigit() and int(n) for n in arguments[2:]):
        got = " ".join(arguments) or "nothing"
        raise ConfigError(f"recexp recommend takes MODEL USER [N], N a number from 1 (got {got})")
    folder, user, n = [*arguments, "10"][:3]
    model = FittedModel.load(folder)
    if not model.answers(user):
        log.warning("the model cannot answer for user %s: this is the fallback's list, the same for all such", user)
    for item, score in model.recommend(user, n=int(n)):
        yield f"{item}\t{score:.6g}"
