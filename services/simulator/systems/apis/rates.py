"""How often what happens on the carriers' manifests."""

from __future__ import annotations

DEPARTURE_ALONE, DEPARTURE_BESIDE = 0.12, 0.6
"""Share of departures that a manifest alone reports, of those that it can report; that it reports beside I-94."""
INBOUND = 0.75
"""Share of arrivals by air with a manifest."""
NO_CLOSE_OUT = 0.08
"""Share of departures on a manifest without a close-out, of those that another system reports too."""
NO_SHOW, CANCELLED = 0.08, 0.3
"""Share of stays with a booked flight that was not boarded; of those the ones cancelled before the close-out."""
LISTED_AGAIN = 0.06
"""Share of travellers whose data are sent once more before the departure."""
DOMESTIC = 0.05
"""Share of stays with a domestic flight on a manifest."""
WITHOUT_DOCUMENT = 0.06
"""Share of travellers on a manifest without a passport, where name, date of birth and citizenship tie as well."""
WITHOUT_REFERENCE = 0.2
"""Share of travellers on a manifest with a booking reference alone."""
FOIL_STATED = 0.8
"""Share of a visa holder's manifest entries with the foil."""
