"""NFTS as the simulator has it."""
