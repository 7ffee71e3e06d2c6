"""How often what happens in ESTA's applications."""

from __future__ import annotations

WITHOUT_EXPIRY = 0.3
"""Share of applications that do not say when the passport ends."""
LOWER_CASE = 0.2
"""Share of applications whose status is not in capitals."""
CHANGED_AGAIN = 0.1
"""Share of applications that were updated once more after their last step: an address, say."""
WITHDRAWN = 0.02
"""Share of applications that were entered twice; one of the two was withdrawn."""
