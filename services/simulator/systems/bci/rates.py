"""How often what happens among the crossings of BCI."""

from __future__ import annotations

DEPARTURE_ALONE, DEPARTURE_BESIDE = 0.25, 0.6
"""Share of departures into Canada by land that Canada's record alone reports; that it reports beside I-94."""
ENTERED = 0.8
"""Share of admissions by land of which BCI has the port's record."""
NOT_PASSPORT = 0.1
"""Share of records with another document than the passport, which identifies nobody elsewhere."""
WRONG_CROSSING, CORRECTED = 0.03, 0.05
"""Share of admissions by land with another person's entry into Canada, deleted later; share of entries mended."""
