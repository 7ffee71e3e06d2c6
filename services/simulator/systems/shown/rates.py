"""How often what happens among what persons show of their departures."""

from __future__ import annotations

NOT_ACCEPTED = 0.1
"""Share of entries, beside those that are accepted, of papers that are not genuine."""
CORRECTED = 0.1
"""Share of entries with a wrong day at first."""
NUMBER_STATED, PASSPORT_STATED = 0.7, 0.8
"""Share of entries with the number of the admission; of those without a number alone, with the passport."""
