"""The commands beside `run`: one file each, with a first line for the help and `run(arguments)`, which yields the lines
to print."""
