"""What a run leaves for people and programs: tables, pictures, and the page that is read first."""
