"""USCIS's CLAIMS 3: benefit applications filed on paper. README.md is the interface."""
