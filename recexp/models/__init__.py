"""Fitted models: a recommender with its ids and fallback, and how it is saved and loaded."""
