"""ADIS: a view of matched stays."""
