"""The flow as it stands, gathered from bus and store: for `visabus status`, the metrics and the console."""

from services.overview.gather import Observer
from services.overview.problems import problems_of
from services.overview.waiting import Waiting, grouped

__all__ = ["Observer", "Waiting", "grouped", "problems_of"]
