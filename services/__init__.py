"""Ingest, correlation, store, API, simulator and the command line."""
