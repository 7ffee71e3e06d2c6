"""FDNS-DS, USCIS's data system for fraud detection and national security. README.md is its interface."""
