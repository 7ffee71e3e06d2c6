"""EARM: removal cases and detention of ICE. README.md is its interface."""
