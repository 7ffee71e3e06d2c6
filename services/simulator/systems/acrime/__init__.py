"""ACRIMe as the simulator has it."""
