"""MODEL USER [N]: the N best items for a user, from a saved model's folder"""

import re
from argparse import Namespace
from collections.abc import Iterator

from recexp.cli.parsing import Parser
from recexp.errors import ModelError, RecexpError, error_message


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

    model = FittedModel.load(folder)
    try:
        pairs = model.recommend(user, n=int(n))
    except RecexpError:
        raise
    except Exception as error:  # whatever comes of numbers that do not fit together
        told = " ".join(error_message(error).split())[:200]
        raise ModelError(f"{folder}: the model cannot make a list: {told}") from error
    for item, score in pairs:
        yield f"{item}\t{score:.6g}"
