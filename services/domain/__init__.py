"""Identity, stays, rules and status as pure functions of events. No I/O, no clock, no randomness."""
