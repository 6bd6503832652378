"""The verbs of `python -m training`: the options of each, and what it says. Imports no torch before one runs."""
