"""The yaml of configs: where it lies, and how Hydra is let at it. All that leans on private names of Hydra is here."""
