"""How often what happens in EVUS's enrolments."""

from __future__ import annotations

OUTCOMES = {"ENROLLED": 0.93, "RESCINDED": 0.03, "UNSUCCESSFUL": 0.02, "PENDING": 0.02}
"""What has become of an enrolment; one before a trip that took place is enrolled."""
BEFORE = (4, 200)
"""Days from the enrolment to the trip."""
WITHOUT_PASSPORT = 0.1
