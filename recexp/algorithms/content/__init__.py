"""Models that read what is known of items."""
