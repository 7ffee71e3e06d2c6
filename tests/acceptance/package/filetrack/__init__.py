"""FILETRACK, a made-up system: where paper files are. README.md is its interface."""
