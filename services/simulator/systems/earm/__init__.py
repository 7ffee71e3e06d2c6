"""EARM: removal cases, answered to polls."""
