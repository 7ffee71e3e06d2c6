"""FALCON-SA as the simulator has it."""
