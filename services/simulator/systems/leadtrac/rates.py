"""How often what happens among the leads of LeadTrac."""

from __future__ import annotations

LEAD = 0.8
"""Share of stays past the last day of their admission on which a lead is opened."""
VIOLATOR = 0.05
"""Share of stays of students on which a lead is opened, right or wrong."""
LATER = (5, 60)
"""Days from the reason of a lead to the lead."""
UNTOLD = 0.1
"""Share of leads that name no record of the system that they come from."""
ORGANISATION = 0.02
"""Share of leads beside which one on an organisation is written."""
