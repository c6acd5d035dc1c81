"""The commands beside `run`: one file each.

Its first line says what is typed and what becomes of it; `parser()` reads the words and makes the help; `run(given)`
yields the lines to print. What a command works with is imported when it runs, so that its help is there at once: in
0.1 s, where `recexp.config.experiments` and `recexp.history` take 0.9.
"""
