"""CIS: the index of A-files, written whole now and then."""
