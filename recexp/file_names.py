"""The names of a run's files; `evidence.run_files` writes and reads those that hold results."""

CONFIG, IDENTITY, MACHINE = "config.yaml", "identity.yaml", "environment.yaml"
"""The resolved config, the content of the digests, and the machine that it ran on."""
LOG, REQUIREMENTS, DIFF = "recexp.log", "requirements.txt", "git.diff"
SUMMARY = "summary.yaml"
"""Warnings, the tables of the description (what the data are, what the audit found), and the digests."""
CODE = "code"
"""The folder of the person's own code and yaml, as they were."""
METRICS, SLICES = "metrics.csv", "slices.csv"
LISTS, LISTS_SAMPLE, PREDICTIONS = "lists.parquet", "lists_sample.csv", "predictions.parquet"
DECISIONS = "decisions.parquet"
"""What a policy showed: a row an item in its place, with the probability of that, and what came of it."""
PLOTS = "plots"
TRIALS = "trials.csv"
REPRODUCTION, REPRODUCTION_JSON = "reproduction.md", "reproduction.json"


def per_unit(unit: str) -> str:
    """Return the name of the table of values of each unit: `per_user.parquet`."""
    return f"per_{unit}.parquet"


def per_unit_sample(unit: str) -> str:
    """Return the name of the file with its first rows, to be read by people: `per_user_sample.csv`."""
    return f"per_{unit}_sample.csv"
