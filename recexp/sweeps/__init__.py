"""Sweeps: the jobs of a command, carried out here or by processes elsewhere, shown as they end and told of at last."""
