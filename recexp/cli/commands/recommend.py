"""MODEL USER [N]: the N best items for a user, from a saved model's folder"""

import re
from argparse import Namespace
from collections.abc import Iterator

from recexp.cli.parsing import Parser


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser(
        "recommend",
        __doc__,
        example="recexp recommend my_model 196 5",
        words=(2, 3),
        trusts=True,
        notes="MODEL is a folder that model.save() or a run has left. N is 10 unless given.",
    )


def run(given: Namespace) -> Iterator[str]:
    """Yield item ids and scores, best first."""
    folder, user, n = [*given.words, "10"][:3]
    if not re.fullmatch(r"[1-9][0-9]{0,8}", n):
        parser().error(f"N: must be a number from 1, got {n}")
    from recexp.models.fitted import FittedModel

    for item, score in FittedModel.load(folder).recommend(user, n=int(n)):
        yield f"{item}\t{score:.6g}"
