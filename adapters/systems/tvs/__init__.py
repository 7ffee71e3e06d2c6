"""TVS, the Traveler Verification Service: faces at the gate, compared with the gallery of the flight."""
