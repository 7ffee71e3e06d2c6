"""EID: a change table of arrests, cases and detainers."""
