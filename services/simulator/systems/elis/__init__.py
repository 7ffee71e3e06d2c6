"""ELIS as the simulator has it."""
