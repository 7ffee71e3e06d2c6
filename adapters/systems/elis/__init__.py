"""ELIS, USCIS's system for benefit applications filed online. README.md is its interface."""
