"""ICM as the simulator has it."""
