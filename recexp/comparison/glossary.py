"""What the words of a report mean."""

from recexp.comparison.results import Comparison
from recexp.metric_names import pretty


def glossary(comparison: Comparison) -> list[tuple[str, str]]:
    """Return words and their meanings, the metrics first."""
    unit, options = comparison.unit, comparison.options
    directions = {True: "higher is better", False: "lower is better", None: "neither way is better"}
    words = [
        (pretty(name), "; ".join(filter(None, (comparison.formulas.get(name), directions[direction]))))
        for name, direction in comparison.higher_is_better.items()
    ]
    words.append(("@10 and the like", "only the first 10 items of each list count"))
    words.append(("sd", "standard deviation of the metric between the runs of a model (seeds, folds)"))
    if any(board.pairs for board in comparison.boards):
        words += [
            (
                "interval",
                f"where the mean over all {unit}s like these may lie: {options.confidence:.0%} of such intervals hold "
                "it. It is about these fitted models, not about other seeds",
            ),
            (
                "p",
                "how often chance would make a difference at least this large if the two models were equally good, "
                f"corrected for the number of comparisons; up to {options.alpha:.2g} it is significant. A large p does "
                "not show that two models are equally good",
            ),
            (
                "d_z",
                f"effect size: the mean difference of a {unit}, divided by the standard deviation of these differences",
            ),
            ("won/tied/lost", f"{unit}s for whom the model is better than, equal to, or worse than the reference"),
        ]
    words += [
        (
            "CPU seconds",
            "processor seconds of all cores to fit the model and make all lists, in the cheapest run; loading "
            "libraries, compiling and waiting are not in them, and neither is a GPU's work",
        ),
        ("tuned", "hyperparameters were chosen on a validation part, with as many trials as the model's name says"),
        ("protocol", "all that runs must share to be compared: data, filters, split, what is ranked and what counts"),
    ]
    return words
