"""LeadTrac: leads of ICE on persons who may have overstayed. README.md is its interface."""
