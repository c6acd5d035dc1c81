"""Policies: what decides which items a visitor is shown. docs/simulation.md shows one of one's own."""

from recexp.policies.base import Decisions, Policy
from recexp.policies.slates import Choice

__all__ = ["Choice", "Decisions", "Policy"]
