"""Work with finished runs: read, list, reproduce, export and import them, and add metrics to them."""
