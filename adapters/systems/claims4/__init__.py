"""CLAIMS 4: applications for naturalisation, a view that is read whole and compared with the last read."""
