"""How often what happens in EID's tables."""

from __future__ import annotations

TWICE = 0.05
"""Share of arrests that stand twice within 24 hours."""
REPROCESSED = 0.1
"""Share of arrests that are processed once more, days later, as a row of its own."""
WITHOUT_PERSON, WITHOUT_FIN = 0.03, 0.2
"""Share of arrests whose person is blank, where there are mistakes; of persons without the FIN."""
ALIAS, YEAR_ALONE = 0.1, 0.05
"""Share of persons with another name; with the year of birth alone."""
DETAINER, LIFTED = 0.4, 0.8
"""Share of arrests after a detainer; of detainers that are lifted at the arrest."""
MISTAKEN = 0.04
"""Share of cases with a detainer entered by mistake and deleted."""
CHANGED_AGAIN = 0.15
"""Share of persons whose row is written once more, unchanged."""
OTHER_TABLE = 0.05
"""Share of cases with a change in a table that is not of the interface."""

METHODS = {
    "Located": 0.3,
    "Non-Custodial Arrest": 0.2,
    "CAP Local Incarceration": 0.25,
    "Custodial Arrest": 0.1,
    "287(g) Program": 0.05,
    "Probation and Parole": 0.05,
    "Worksite Enforcement": 0.05,
}
CRIMINALITY = {
    "1 Convicted Criminal": 0.3,
    "2 Pending Criminal Charges": 0.3,
    "3 Other Immigration Violator": 0.4,
}
RELEASES = {"Order of recognizance": 0.4, "ORDER OF SUPERVISION": 0.2, "Bonded Out - IJ": 0.3, "Paroled": 0.1}
ENDS = {"A-Proceedings Terminated": 0.7, "E-Charging Document Canceled by ICE": 0.3}
CLOSES = {"6-Deported/Removed - Deportability": 0.5, "8-Excluded/Removed - Inadmissibility": 0.5}
