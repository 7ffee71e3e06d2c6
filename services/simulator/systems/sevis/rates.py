"""How often what happens in the batches of SEVIS."""

from __future__ import annotations

PASSPORT_STATED = 0.85
"""Share of records in SEVIS with the passport, where name, date of birth and citizenship tie as well."""
NUMBER_STATED = 0.5
"""Share of students whose I-94 number the school adds after the arrival."""
NOT_APPLIED, ADMINISTRATIVE = 0.1, 0.4
"""Share of students with a termination that SEVIS rejected; with a record that says nothing about status."""
