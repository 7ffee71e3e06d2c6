"""CPMS: biometric appointments and cards, pushed. README.md is its interface."""
