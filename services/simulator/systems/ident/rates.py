"""How often what happens among the encounters of IDENT."""

from __future__ import annotations

DEPARTURE_ALONE, DEPARTURE_BESIDE = 0.1, 0.35
"""Share of departures that biometrics alone report; that they report beside I-94."""
FINGERPRINTED = 0.6
"""Share of admissions with a biometric encounter."""
FIN_ALONE = 0.3
"""Share of biometric exits of enrolled people that say the FIN and nothing else."""
NOT_MATCHED, WRONG_EXIT, CORRECTED_EXIT = 0.05, 0.03, 0.05
"""Share of stays with an exit without a match; with another person's exit, deleted later; share of exits mended."""
TWO_FINS = 0.04
"""Share of enrolled people who were enrolled twice, under two FINs, and merged."""
