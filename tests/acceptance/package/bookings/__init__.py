"""BOOKINGS, a made-up system: visits to an office, told by a REST service. README.md is its interface."""
