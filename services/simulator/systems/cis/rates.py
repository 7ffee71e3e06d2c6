"""How often what happens in the index of CIS."""

from __future__ import annotations

EXTRACTS = (60, 30, 2)
"""Days before the end of the records on which an extract is written, the last one last."""
LAG = 2
"""Days by which the index is behind what it copies."""
CONSOLIDATED = 0.05
"""Share of files beside which a second one stands for a while, under a number that is consolidated later."""
MOVED = 0.3
"""Share of files that were sent to another office once."""
FBI = 0.4
"""Share of persons in the index whose number in the FBI's index it has."""
