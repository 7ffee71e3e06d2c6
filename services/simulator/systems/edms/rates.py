"""How often what happens among the scans of EDMS."""

from __future__ import annotations

SCANNED = 0.7
"""Share of papers that are scanned by the time they could be."""
LATER = (10, 150)
"""Days from a paper to its scan."""
BARE = 0.1
"""Share of scans without the number of a form."""
SEPARATOR = 0.15
"""Share of scans beside which a separator sheet stands."""
