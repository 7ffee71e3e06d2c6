"""How often what happens to applications for visas."""

from __future__ import annotations

PROCESSED = 0.1
"""Share of visas that were refused under section 221(g) first; the row was changed when they were issued."""
REFUSED = 0.04
"""Share of persons who asked for another visa before, in vain."""
CANCELLED = 0.3
"""Of visas that end before their last day: share of those that are cancelled, not revoked."""
VOID = 0.01
"""Share of rows beside which one was entered by mistake."""
ENTRIES = {"M": 8, "1": 1, "2": 1}
"""How often a visa may be used, by weight."""
