"""APIS: manifests of carriers, in and out. README.md is the interface."""
