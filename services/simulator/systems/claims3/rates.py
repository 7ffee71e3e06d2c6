"""How often what happens in the table of CLAIMS 3."""

from __future__ import annotations

APPLICATION_NAMES = {"number": 0.8, "passport": 0.12, "name": 0.08}
"""What ties an application to the stay: the I-94 number; the passport; name, date of birth and citizenship."""
FILED_DATE_LEFT_OUT = 0.2
CLASS_WITHOUT_HYPHEN = 0.15
ROW_CHANGED = 0.04
"""Share of rows changed in place after they were written."""
ROW_VOIDED = 0.05
"""Share of applications with a denial that was entered by mistake and voided."""
WORK_PERMIT = 0.7
"""Share of adjustments with an I-765, which moves no stay."""
APPEALED = 0.2
"""Share of denials that are appealed; an appeal leaves the denial as it is."""
