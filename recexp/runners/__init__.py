"""Runners: kinds of experiment."""
