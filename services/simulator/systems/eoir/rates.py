"""How often what happens in the data of the immigration courts."""

from __future__ import annotations

MONTH = 60
"""Days between the two extracts."""
MOVED = 0.3
"""Share of cases that change their court before they are decided."""
APPEALED = 0.3
"""Share of orders of persons who are still there that are appealed."""
BOND = 0.3
"""Share of cases of detained persons with a proceeding of bond."""
MISTAKEN = 0.05
"""Share of cases beside which the first extract has one that is gone from the second."""
SHIFTED = 0.05
"""Share of cases whose city has a stray tab."""
ABSENT = 0.3
"""Share of orders in absentia."""
