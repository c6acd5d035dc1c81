"""The words of a command that make dataset=electronics, and what is measured on it, quick."""

SMALL = (
    "dataset=electronics",
    "dataset.n_users=300",
    "dataset.n_products=120",
    "dataset.n_visits=4000",
    "evaluation.resamples=100",
)
