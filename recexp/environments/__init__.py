"""Environments: worlds with a known truth, in which policies act and from which data are drawn."""
