"""What is done with finished runs: made again and compared (reproduction, drift), or judged anew (backfill)."""
