"""OBIM's IDENT: biometric encounters, pushed. README.md is the interface."""
