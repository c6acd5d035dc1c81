"""What comes next in a session, without networks."""
