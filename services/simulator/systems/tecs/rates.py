"""How often what happens at primary inspection."""

from __future__ import annotations

INSPECTED = 0.7
"""Share of applications for admission whose inspection is in TECS."""
FOIL_STATED = 0.5
"""Share of a visa holder's inspections with the foil."""
SECONDARY = 0.05
"""Share of those admitted who were sent to secondary inspection first, under an inspection of its own."""
REPLACED = 0.05
"""Share of inspections that first had another class, mended in the next message."""
DELETED = 0.03
"""Share of inspections beside which one is entered by mistake and deleted in the next message."""
DOUBLE = 0.1
"""Share of refused applications beside which CBP holds a row for a double."""
CREDIBLE_FEAR = 0.1
"""Share of refused applications in which a fear of return was claimed."""
RECORDED_AFTER = (30, 1800)
"""Seconds from the lane to the record."""
