"""Models based on item features."""
