"""What is called from Python as from the command line: functions with the options of the commands, and their results.

A result is short as text, a table with a link in a notebook, and a DataFrame by `to_frame`.
"""
