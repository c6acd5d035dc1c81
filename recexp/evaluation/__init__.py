"""Evaluation: what is measured on the answers of a model, for whom, and how sure the numbers are."""
