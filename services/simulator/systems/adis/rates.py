"""How often what happens in the view of ADIS."""

from __future__ import annotations

LAG = (1, 6)
"""Days from a crossing to its row, and from a departure to its match."""
SOURCE_LOST = 0.25
"""Share of crossings without the key that they have in the system that reported them."""
NUMBER_LOST = 0.03
"""Share of stays without the number of the I-94, of those whose arrival names its source."""
MATCHED_ONLY = 0.01
"""Share of stays that go on and are marked as matched all the same."""
UNDONE = 0.02
"""Share of departures that were matched after another one by mistake had been undone."""
VOIDED = 0.02
"""Share of stays beside which a row was made by mistake, and voided."""
RESIDENT = 0.03
"""Share of stays beside which the view has a row of a citizen or resident."""
ARRIVAL_FLAGS = {
    "G": 0.757,
    "O": 0.14,
    "A": 0.034,
    "Z": 0.026,
    "T": 0.026,
    "K": 0.006,
    "P": 0.005,
    "H": 0.004,
    "U": 0.002,
}
DEPARTURE_FLAGS = {"O": 0.8, "I": 0.039, "D": 0.031, "K": 0.027, "N": 0.026, "Q": 0.018, "R": 0.01}
"""Of the public I-94 file of April 2016."""
