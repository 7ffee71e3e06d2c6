"""EDMS: a view of scanned documents."""
