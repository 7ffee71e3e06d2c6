"""ICM, ICE's investigative case management. README.md is its interface."""
