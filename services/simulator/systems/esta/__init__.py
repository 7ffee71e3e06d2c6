"""ESTA as the simulator has it."""
