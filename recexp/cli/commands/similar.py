"""MODEL ITEM [-n N] [...]: list the items most similar to one, according to a model"""

from argparse import Namespace
from collections.abc import Iterator

from recexp.cli import asking
from recexp.cli.parsing import STORE, Parser


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser(
        "similar",
        __doc__,
        example="recexp similar 287f36a5 50 -n 5",
        words=(1, 2),
        overrides=STORE,
        notes=asking.MODEL,
    )
    asking.add_options(parser)
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield item ids, similarities and titles, most similar first."""
    name, item = asking.name_and_rest(given)
    if len(item) != 1:
        parser().error(f"got {' '.join(given.arguments)}")
    with asking.asked_model(name, given) as model:
        titles = model.item_table.titles
        for other, similarity in model.similar(item[0], given.n):
            title = [] if titles is None else [titles[model.item_codes.code(other)]]
            yield "\t".join([str(other), f"{similarity:.6g}", *title])
