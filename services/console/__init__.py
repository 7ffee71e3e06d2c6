"""The page for those who operate the bus: the flow as it is, systems, dead letters, traces, persons, possible matches.

It is a set of files that a browser runs, and the routes under `/console/api` that it asks. Both are served by
`visabus serve --console`, beside the look-ups, with the same tokens.
"""

from services.console.app import create_app
from services.console.resources import Console
from services.console.watch import Watch

__all__ = ["Console", "Watch", "create_app"]
