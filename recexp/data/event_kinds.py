"""What the names of events mean: views, carts, purchases, returns, ratings."""

from collections.abc import Mapping
from typing import Literal

Kind = Literal["view", "cart", "purchase", "return", "rating"]

KINDS: Mapping[Kind, tuple[str, ...]] = {
    "rating": ("rating", "review"),
    "return": ("return", "refund", "cancel"),
    "cart": ("cart", "basket"),
    "purchase": ("purchase", "transaction", "buy", "order", "sale"),
    "view": ("view", "click", "clk", "pv", "detail"),
}
"""Words by which a kind of event is known, the first that fits: `addtocart`, `buy`, `page_view`."""


def kind_of(event: str) -> Kind | None:
    """Return what kind of event a name means, None where it means none."""
    name = event.lower()
    return next((kind for kind, words in KINDS.items() if any(word in name for word in words)), None)
