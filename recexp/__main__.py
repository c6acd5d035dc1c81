"""`python -m recexp` is the command `recexp`."""

import os
import sys

if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
        del sys.path[0]  # Python puts it there, and a json.py in it would take the place of the library's
    from recexp.cli import main

    main()
