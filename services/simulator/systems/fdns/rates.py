"""How often what happens in FDNS-DS's leads and cases."""

from __future__ import annotations

LEAD = 0.15
"""Share of applications on which there is a lead."""
CASE = 0.6
"""Share of leads that become a case."""
FINDINGS = {"FRAUD FOUND": 0.25, "FRAUD NOT FOUND": 0.45, "INCONCLUSIVE": 0.1, "": 0.2}
"""What a case has found; blank where it has found nothing yet."""
LATER, LASTS = (5, 60), (10, 150)
"""Days from the filing to the lead, and from the lead to the finding."""
NUMBERS_ALONE = 0.2
"""Share of records with numbers alone."""
SOURCES = ("SERVICE CENTER", "FIELD OFFICE", "TIP", "RANDOM SAMPLE")
