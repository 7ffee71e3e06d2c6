"""CCD: the State Department's visas."""
