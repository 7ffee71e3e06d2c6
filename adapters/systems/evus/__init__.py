"""EVUS, CBP's enrolments of holders of ten-year visas. README.md is its interface."""
