"""How often what happens among SAVE's verifications."""

from __future__ import annotations

VERIFIED = 0.12
"""Share of admissions of which some agency asks."""
ANSWERS = {
    "finding": 0.8,
    "additional": 0.06,
    "pending": 0.05,
    "not_verified": 0.04,
    "duplicate": 0.03,
    "no_answer": 0.02,
}
"""What the answers say when the records end."""
SECOND_STEP = 0.15
"""Share of findings of the second step."""
BY_PASSPORT, BY_SCHOOL = 0.4, 0.5
"""Share of requests by the I-94 with a passport; of students by the form of the school alone."""
WORK_PERMIT = 0.05
"""Share of findings with a work permit."""
TEXT_BESIDE_DATE = 0.1
"""Share of ends told as a date and as a text."""
