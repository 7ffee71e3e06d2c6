"""How often what happens at the gates of TVS."""

from __future__ import annotations

DEPARTURE_ALONE, DEPARTURE_BESIDE = 0.04, 0.3
"""Share of departures by air that TVS alone reports; that it reports beside others."""
UNMATCHED = 0.08
"""Share of matches beside which an attempt before them found nobody, or no gallery."""
VOIDED = 0.02
"""Share of stays with a match that was another's, voided later."""
BY_FIN, BY_PASSPORT = 0.5, 0.4
"""Share of matches under the FIN of a traveler who has one; of the others, under the passport."""
