"""One folder for each legacy system: its interface (README.md) and its adapter."""
