"""How often what happens to paper files."""

from __future__ import annotations

TEMPORARY = 0.3
"""Share of A-files beside which there is a temporary file."""
CONSOLIDATED = 0.08
"""Share of persons with an A-number who had been given another one before."""
DIGITISED = 0.2
"""Share of A-files that are scanned in the end."""
CORRECTED = 0.05
"""Share of moves that a later file corrects."""
MOVES = (1, 4)
"""Moves of an A-file."""
APART = (5, 90)
"""Days between two moves."""
