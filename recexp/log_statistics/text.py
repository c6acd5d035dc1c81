"""Statistics of a log in words, the same wherever a person reads them."""

from collections.abc import Iterator, Mapping

_RATES = {
    "cart_per_view": "carts/views",
    "purchase_per_cart": "purchases/carts",
    "purchase_per_view": "purchases/views",
}
_SPREAD = ("Gini {%s_gini:.2f} over items", "the top 20%% of items have {%s_top_20:.0%%}", "rank^-{%s_slope:.2f}")
_LINES: Mapping[str, list[str]] = {
    "funnel": [f"{words} {{{name}:.3g}}" for name, words in _RATES.items()],
    "of pairs": [f"{words} {{pair_{name}:.3g}}" for name, words in _RATES.items()],
    "views": [part % "view" for part in _SPREAD],
    "purchases": [*(part % "purchase" for part in _SPREAD), "{bought_again:.0%} repeat an item of the same user"],
    "visits": [
        "{visits_with_purchase:.1%} with a purchase",
        "clicks: mean {clicks_mean:.1f}, median {clicks_median:.0f}, 90% {clicks_p90:.0f}, 99% {clicks_p99:.0f}",
    ],
    "repeats": [
        "{repeats:.0%} of clicks repeat an item of the visit",
        "{repeats_last:.0%} that of the click before",
    ],
    "seconds": [
        "between clicks: median {gap_median:.0f}, 90% {gap_p90:.0f}",
        "of a visit: median {length_median:.0f}",
    ],
    "busiest": [
        "hour {busiest_hour:.3g} times the quietest (UTC)",
        "month {busiest_month:.2g} times the quietest, by orders",
    ],
    "buyers": [
        "{one_order:.0%} with one order",
        "orders: mean {orders_mean:.1f}, median {orders_median:.0f}",
        "the top 20% of buyers bring {top_buyers:.0%} of revenue",
    ],
    "returns": ["{returned_orders:.1%} of orders", "{returned_value:.1%} of value"],
    "prices": [],
    "ratings": ["mean {rating_mean:.2f}"],
}
"""What a line is called, and its parts; a part is shown where its statistics are known."""


def in_words(found: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Yield the statistics of `measure` in groups: what a group is called, and what is known of it."""
    stars = [name for name in found if name.startswith("rating_") and name != "rating_mean"]
    more = {"ratings": [f"{name.removeprefix('rating_')}: {{{name}:.0%}}" for name in stars]}
    if "price_elasticity" in found:
        change = found["price_elasticity"]
        more["prices"] = [
            f"where a week's price is 1% higher, {abs(change):.2f}% {'fewer' if change < 0 else 'more'} are sold"
        ]
    for name, parts in _LINES.items():
        shown = [text for part in (*parts, *more.get(name, [])) if (text := _filled(part, found))]
        if shown:
            yield name, "; ".join(shown)


def _filled(part: str, found: Mapping[str, float]) -> str:
    """Return a part with its numbers, or nothing where one of them is not known."""
    try:
        return part.format_map(found)
    except KeyError:
        return ""
