"""Bytes to records. Pure: no I/O but the stream that is handed in."""
