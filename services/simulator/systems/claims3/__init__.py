"""CLAIMS 3: a table of what was done with applications on paper."""
