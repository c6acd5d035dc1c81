"""Cold start: users and items of whom train has few rows or none, known by features and friends."""
