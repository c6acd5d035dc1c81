"""`python -m recexp` is the command `recexp`."""

from recexp.cli import main

if __name__ == "__main__":
    main()
