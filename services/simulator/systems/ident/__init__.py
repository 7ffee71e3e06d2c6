"""IDENT: biometric encounters, pushed."""
