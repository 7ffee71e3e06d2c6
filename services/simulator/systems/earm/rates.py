"""How often what happens in EARM's cases."""

from __future__ import annotations

REMOVAL_ALONE, REMOVAL_BESIDE = 0.4, 0.9
"""Share of executed removals that EARM alone reports; that it reports beside I-94."""
STINTS = (0.3, 0.4, 0.2, 0.07, 0.03)
"""How many stints, from one, a stay in detention has."""
WITHOUT_COUNTRY, WITHOUT_FIN, WITHOUT_DOCUMENT = 0.03, 0.2, 0.1
"""Share of departures without their country; of cases without the FIN, or the document where the FIN is there."""
RISK_TABLE, MISSPELT_HEADER = 0.3, 0.3
"""Share of cases with a risk table; of those with the header of another year."""
BOND = 0.2
LARGEST_BOND = 0.01
"""Share of cases with a bond; of bonds that are of hundreds of millions."""
CHANGED_AGAIN = 0.2
"""Share of cases that were changed once more after their last step."""

CLOSES = {
    "8-Excluded/Removed - Inadmissibility": 0.45,
    "6-Deported/Removed - Deportability": 0.3,
    "3-Voluntary Departure Confirmed": 0.1,
    "8-Excluded/Deported/Removed": 0.08,
    "9-VR Witnessed": 0.05,
    "5-Title 50 Expulsion": 0.02,
}
"""How a case closes that ends with a departure."""
ENDS = {
    "A-Proceedings Terminated": 0.6,
    "E-Charging Document Canceled by ICE": 0.3,
    "10-USC Prosecution Case Closed": 0.1,
}
"""How it closes otherwise."""
RELEASES = {
    "Order of recognizance": 0.3,
    "Order of supervision": 0.2,
    "Bonded Out - IJ": 0.2,
    "Paroled - Public Benefit": 0.2,
    "PAROLED": 0.1,
}
"""How a stay in detention ends in the country."""
