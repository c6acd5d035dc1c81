"""The functions of the Python API, which take the options of the commands, and their results.

A result is short as text, a table with a link in a notebook, and a DataFrame by `to_frame`.
"""
