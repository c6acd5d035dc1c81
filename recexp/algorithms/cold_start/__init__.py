"""Cold start: recommendations for users and items with few or no train rows, based on features and friends."""
