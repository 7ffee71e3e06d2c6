"""FDNS-DS as the simulator has it."""
