"""CPMS: biometric appointments and cards, pushed."""
