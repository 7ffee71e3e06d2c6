"""How often what happens in PCQS."""

from __future__ import annotations

ASKED = 0.5
"""Share of persons who have a number that PCQS knows, of whom it is asked."""
UNAVAILABLE = 0.08
"""Share of first answers in which a source does not answer."""
FAILED = 0.04
"""Share of first questions without any answer."""
