"""LeadTrac as the simulator has it."""
