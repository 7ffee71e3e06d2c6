"""The synthetic population: who the persons are, what happens to them, and how often."""
