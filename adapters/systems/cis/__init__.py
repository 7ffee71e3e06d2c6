"""CIS, the Central Index System: the index of A-files, written whole every night."""
