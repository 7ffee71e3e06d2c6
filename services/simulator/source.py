"""What a system is to the simulator: a `Source` writes what its owner would hold, and answers as its owner would.

A source is a folder below `services.simulator.systems` (or in a further package) with a module `source` that has a
`SOURCE`. It is written from the interface page of the system alone and never sees the adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from services.simulator.log import PersonLog
from services.simulator.noise import Mistakes
from services.simulator.population.plans import Crossing, Span
from services.simulator.rng import Rng

if TYPE_CHECKING:
    import httpx

    from services.simulator.push import PushKey

Counts = dict[str, int]
"""What was written. `read`, `published` and `filtered` are what ingest has to count; anything else is for people."""

Feeds = Mapping[str, Mapping[str, Any]]
"""The settings of feeds by their name, such as `{"I94.nightly": {"url": "file:///..."}}`."""


@dataclass(frozen=True, slots=True)
class DepartureReports:
    """How a system reports departures. One departure may be reported by several systems; it is the same crossing.

    `main`: the system reports every departure that no other system reports alone.
    """

    can: Callable[[Crossing], bool] = lambda crossing: crossing.second is not None
    alone: float = 0.0
    beside: float = 0.0
    main: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One simulation as a source sees it. `place` is the source's own file or folder; it does not exist yet."""

    system: str
    place: Path
    seed: int
    span: Span
    mistakes: Mistakes

    def rng(self, purpose: str = "") -> Rng:
        """Return the source's own stream of draws, equal for equal seeds."""
        return Rng(" ".join(filter(None, (self.system, purpose, str(self.seed)))))


class Writer(Protocol):
    """The files of one system while they are written."""

    def write(self, log: PersonLog) -> None:
        """Write one person, and add to the log which records are the person's."""

    def finish(self) -> Counts:
        """Complete the files and return what was written."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a system finds while it answers.

    `door` is a client of the push handler, `key` the key that the push handler believes. `queue` is the address of an
    empty queue, where there is one.
    """

    door: httpx.AsyncClient | None = None
    key: PushKey | None = None
    queue: str = ""


async def nothing_to_send() -> None:
    """Send nothing: the middleware fetches everything."""


@dataclass(frozen=True, slots=True)
class Served:
    """A system that answers: where its feeds are, and a coroutine that sends what the system sends by itself."""

    feeds: Feeds = field(default_factory=dict)
    send: Callable[[], Awaitable[None]] = nothing_to_send


@runtime_checkable
class Source(Protocol):
    """A system that can be simulated. A class names it as its base and gives at least `system` and `open`."""

    system: str
    """The name of the system, as its adapter and its events have it."""
    place: str
    """The file or folder of the population that belongs to the system."""
    required: bool = False
    """Whether no population is written without it."""
    brings: frozenset[str] = frozenset()
    """Parts of the population that exist only where this system is written, such as `students`."""
    departures: DepartureReports | None = None
    """How the system reports departures; None where it reports none."""
    pushes: str = ""
    """The name of the feed that the system pushes to; empty where it pushes nothing."""
    rates: Mapping[str, object] = {}
    """How often what happens in the system, by name; printed with the counts of a run."""

    def open(self, run: Run) -> Writer:
        """Begin to write."""

    def feeds(self, place: Path) -> Feeds:
        """Return the feeds that read what lies in the source's place, without anything that has to answer."""
        return {}

    def serve(self, place: Path, surroundings: Surroundings) -> AbstractAsyncContextManager[Served]:
        """Answer for as long as the context lasts. Raises SourceUnavailable.

        Where nothing has to answer the feeds are those that lie in the place.
        """
        return _at_rest(self.feeds(place))


class SourceUnavailable(Exception):
    """A system cannot answer: what it needs around it is not there, or does not do what the system asks of it."""


@asynccontextmanager
async def _at_rest(feeds: Feeds) -> AsyncIterator[Served]:
    yield Served(feeds)
