"""How often what happens in the vetting of visa applications."""

from __future__ import annotations

VETTED = 0.6
"""Share of visas whose post has officers who vet applications."""
MORE = 0.2
"""Share of vetted applications on which more is asked for first."""
LIFTED = 0.1
"""Share of vetted applications that were to be refused first."""
REFUSED_LATER = 0.03
"""Share of persons with a vetted visa who ask for another one later, in vain."""
SENT_AGAIN = 0.05
"""Share of earlier decisions that a later batch sends again, behind the decision that rules."""
GROUPS = {"SECURITY": 2, "CRIMINAL": 1, "FRAUD": 3, "OTHER": 4}
"""Groups of the reasons for a refusal, by weight."""
