"""How often what happens among the entries of CBSA."""

from __future__ import annotations

DEPARTURE_ALONE, DEPARTURE_BESIDE = 0.1, 0.7
"""Share of departures into Canada by land that CBSA alone reports; that it reports beside others."""
NOT_PASSPORT = 0.1
"""Share of entries on another document than the passport, which identifies nobody elsewhere."""
CORRECTED = 0.05
"""Share of entries that first come with a wrong day, mended in the next week."""
