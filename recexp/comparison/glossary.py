"""Definitions of the terms in a report."""

from recexp.comparison.results import Comparison
from recexp.metric_names import pretty


def glossary(comparison: Comparison) -> list[tuple[str, str]]:
    """Return terms and their definitions, the metrics first."""
    unit, options = comparison.unit, comparison.options
    directions = {True: "higher is better", False: "lower is better", None: "no direction is better"}
    words = [
        (pretty(name), "; ".join(filter(None, (comparison.formulas.get(name), directions[direction]))))
        for name, direction in comparison.higher_is_better.items()
    ]
    words.append(("@10 etc.", "only the first 10 items of each list count"))
    words.append(("sd", "standard deviation of the metric between the runs of a model (seeds, folds)"))
    if any(board.pairs for board in comparison.boards):
        words += [
            (
                "interval",
                f"plausible range of the mean over all similar {unit}s: {options.confidence:.0%} of such intervals "
                "contain it. It describes these fitted models, not other seeds",
            ),
            (
                "p",
                "probability of a difference at least this large if the two models were equally good, corrected for "
                f"the number of comparisons; significant up to {options.alpha:.2g}. "
                "A large p does not show that two models are equally good",
            ),
            (
                "d_z",
                f"effect size: the mean difference of a {unit}, divided by the standard deviation of these differences",
            ),
            ("won/tied/lost", f"{unit}s for which the model is better than, equal to, or worse than the reference"),
        ]
    words += [
        (
            "CPU seconds",
            "processor seconds of all cores to fit the model and make all lists, in the cheapest run; they "
            "exclude loading libraries, compiling, waiting and work on a GPU",
        ),
        ("tuned", "hyperparameters were chosen on a validation part, with the number of trials in the model's name"),
        ("protocol", "what runs must share to be comparable: data, filters, split, candidate items and relevance"),
    ]
    return words
