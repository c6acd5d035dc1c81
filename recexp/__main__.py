"""`python -m recexp` is the command `recexp`."""

if __name__ == "__main__":
    from recexp.cli import main

    main()
