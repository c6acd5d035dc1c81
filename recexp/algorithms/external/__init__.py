"""Answers of systems that recexp does not run."""
