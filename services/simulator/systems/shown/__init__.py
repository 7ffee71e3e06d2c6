"""SHOWN as the simulator has it."""
