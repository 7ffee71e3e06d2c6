"""How often what happens in ELIS's cases."""

from __future__ import annotations

FORM_WITH_HYPHEN = 0.3
HISTORY = 0.5
"""Share of cases with a history; of the others it is null."""
WITHOUT_PASSPORT = 0.2
ENCODED_TWICE = 0.3
"""Share of texts with letters beyond ASCII that are encoded twice."""
MARKUP = 0.05
"""Share of status texts with markup in them."""
CHANGED_AGAIN = 0.2
"""Share of cases that were changed once more after their last step."""
REJECTED = 0.05
"""Share of applications before which one was filed that was rejected."""
HIDDEN = 0.03
"""Share of applications beside which the listing has a receipt whose case is not shown."""
PERMIT = 0.6
"""Share of adjustments with an I-765, which moves no stay."""
PENDING = {
    "Case Was Received": 0.6,
    "Case Is Being Actively Reviewed By USCIS": 0.2,
    "Request for Additional Evidence Was Sent": 0.1,
    "Case Was Placed In A Queue That Is New": 0.1,
}
"""Status texts of what is pending; the last is one that no table has."""
