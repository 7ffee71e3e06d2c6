"""How right the view is: its persons and outcomes against the truth of a simulated population."""

from services.evaluation.comparison import Comparison, ViewStay, Wrong, compare
from services.evaluation.complementary import Complementary, Said, Without, Worse
from services.evaluation.pairs import Claims, Pairs, pairs_of

__all__ = [
    "Claims",
    "Comparison",
    "Complementary",
    "Pairs",
    "Said",
    "ViewStay",
    "Without",
    "Worse",
    "Wrong",
    "compare",
    "pairs_of",
]
