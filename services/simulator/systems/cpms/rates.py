"""How often what happens in CPMS."""

from __future__ import annotations

APPOINTMENT = 0.5
"""Share of applications for which biometrics are asked for."""
REUSED, MISSED = 0.3, 0.05
"""Share of those whose earlier fingerprints are taken over; of appointments to which nobody comes."""
WITHOUT_NAME, WITHOUT_RECEIPT = 0.2, 0.1
"""Share of events without the name; without the receipt where there is another number."""
CORRECTED = 0.05
"""Share of events that are corrected the day after."""
RETURNED = 0.1
"""Share of cards that come back."""
