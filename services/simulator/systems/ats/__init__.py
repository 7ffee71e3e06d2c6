"""ATS as the simulator has it."""
