"""TECS as the simulator has it."""
