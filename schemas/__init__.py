"""Canonical events, identifiers and views: what everything else speaks. No I/O."""
