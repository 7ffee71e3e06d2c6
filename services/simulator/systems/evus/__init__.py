"""EVUS as the simulator has it."""
