"""VSPTS-Net as the simulator has it."""
