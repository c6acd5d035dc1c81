"""Splits: what may be learned, what is asked."""
