"""CCD as the simulator has it."""
