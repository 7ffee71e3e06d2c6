"""How often what happens in RAPS' tables."""

from __future__ import annotations

NO_SHOW, RESCHEDULED = 0.08, 0.1
"""Share of interviews to which nobody came at first; that are put off."""
NOTICE_OF_INTENT = 0.5
"""Share of denials behind a notice of intent to deny."""
WITHOUT_NUMBER = 0.15
"""Share of applicants whose I-94 number is not stated."""
CORRECTED = 0.1
"""Share of applicants whose row is written again."""
MISTAKEN = 0.05
"""Share of cases with a step entered by mistake and deleted."""
SCREENING = 0.1
"""Share of cases beside which a screening, which belongs to another system, stands in the table."""
CLOSED_AS_DEPARTED = 0.3
"""Share of applicants who left before a decision whose case is closed for that."""
