"""I-94: nightly files of admissions and departures."""
