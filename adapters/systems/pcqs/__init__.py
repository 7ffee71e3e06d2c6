"""PCQS: what other systems hold of a person, asked one by one. README.md is its interface."""
