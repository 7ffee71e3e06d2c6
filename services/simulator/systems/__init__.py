"""The simulated systems, a folder each: `source.py` with its `SOURCE`, the native format, and its rates."""
