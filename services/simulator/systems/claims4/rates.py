"""How often what happens in the view of CLAIMS 4."""

from __future__ import annotations

OTHER_NAME = 0.15
"""Share of oaths at which the court changes the name."""
WITHDRAWN = 0.2
"""Share of denials that are withdrawals in truth."""
CERTIFICATE = 0.3
"""Share of cases beside which an application for a certificate of citizenship is in the view."""
MIDDLE_NAME = 0.5
"""Share of persons with several given names whose second one stands as a middle name."""
