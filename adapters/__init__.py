"""One adapter per legacy system, and the framework they share."""
