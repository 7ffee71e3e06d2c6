"""How often what happens among the copies of FALCON-SA."""

from __future__ import annotations

INVESTIGATION = 0.02
"""Share of persons with an admission whom an investigation names, of no consequence for their stay."""
LATER = (1, 9)
"""Days from a change in the source to the load."""
RELOADED = 0.1
"""Share of copies that a later load writes once more as they are."""
STALE = 0.1
"""Share of copies behind which an older state of theirs is loaded."""
ORGANISATION = 0.05
"""Share of copies beside which one of an organisation is written."""
CLOSED = 0.5
"""Share of investigations that are closed."""
OPEN_DAYS = (10, 90)
"""Days that an investigation is open."""
