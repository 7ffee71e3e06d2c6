"""How often what happens at the centre that answers the police."""

from __future__ import annotations

QUERIED = 0.12
"""Share of admissions of persons with an A-number or fingerprints during which somebody asks about them."""
WITH_ALIEN = 0.6
"""Share of queries about a person with an A-number that have it."""
SHORT_BIRTH = 0.4
"""Share of queries with a date of birth of six digits."""
IN_CUSTODY = 0.5
"""Share of queries about somebody in custody."""
SENT_AGAIN = 0.05
"""Share of queries that are sent again under their control field."""
NO_RECORD = 0.1
"""Share of queries beside which one about somebody unknown is answered."""
ANSWERED_AFTER = (600, 20_000)
"""Seconds from a query to its answer."""
DETAINER = 0.1
"""Share of answers that ask for a detainer."""
