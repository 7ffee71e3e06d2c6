"""SEVIS. See README.md."""
