"""TVS: faces at the gate, pushed as JSON."""
