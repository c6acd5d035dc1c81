"""Hybrids: several algorithms as one (Burke's taxonomy, UMUAI 2002)."""
