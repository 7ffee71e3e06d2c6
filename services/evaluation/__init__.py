"""How right the view is: its persons and outcomes against the truth of a simulated population."""

from services.evaluation.comparison import Comparison, ViewStay, Wrong, compare
from services.evaluation.pairs import Claims, Pairs, pairs_of

__all__ = ["Claims", "Comparison", "Pairs", "ViewStay", "Wrong", "compare", "pairs_of"]
