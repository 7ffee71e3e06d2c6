"""EDMS: scanned files, a view that is read whole and compared with the last read."""
