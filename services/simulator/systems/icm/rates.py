"""How often what happens in ICM's investigations."""

from __future__ import annotations

INVESTIGATED, OTHERS = 0.5, 0.01
"""Share of persons with a removal case who are under investigation; of all others."""
CLOSED = 0.5
"""Share of investigations that are closed."""
LASTS = (5, 200)
"""Days from the opening to the closing."""
WITHOUT_NAME = 0.1
"""Share of subjects with an A-number that stand with their numbers alone."""
BESIDE = 0.3
"""Share of cases with somebody beside the subject who is none: a witness, a citizen, an organisation."""
CATEGORIES = ("DOCUMENT FRAUD", "HUMAN SMUGGLING", "WORKSITE", "BENEFIT FRAUD", "FUGITIVE OPERATIONS")
DISPOSITIONS = ("HCA", "TOT", "NTA", "OTHER")
