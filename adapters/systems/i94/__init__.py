"""CBP's I-94: admissions, departures, extended periods. README.md is the interface."""
