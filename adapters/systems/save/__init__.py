"""SAVE: verifications of status that agencies asked for. README.md is its interface."""
