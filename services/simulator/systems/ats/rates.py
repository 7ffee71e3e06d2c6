"""How often what happens in ATS."""

from __future__ import annotations

RESERVATION, TRAVEL = 0.5, 0.3
"""Share of flights out of the country that a carrier's reservation tells, and that a travel record of UPAX tells."""
CANCELLED = 0.06
"""Share of bookings that are cancelled and made anew on the same flight."""
BOOKED_BEFORE = (1, 40)
"""Days from a booking to its flight."""
INBOUND = 0.2
"""Share of reservations beside which one of a flight into the country is written."""
VETTED = 0.7
"""Share of stays past their last day that are on a list that is vetted."""
VETTED_AFTER = (10, 50)
"""Days from the last day, or the departure, to what came of the vetting."""
FOIL_STATED = 0.4
"""Share of a visa holder's bookings with the foil."""
IN_PARTS = 0.5
"""Share of interchanges of several reservations that come in parts."""
