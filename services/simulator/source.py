"""What a system is to the simulator: a `Source` writes what its owner would hold, and answers as its owner would.

A source is a folder below `services.simulator.systems` (or in a further package) with a module `source` that has a
`SOURCE`. It is written from the interface page of the system alone and never sees the adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from services.simulator.clock import DAY, changes
from services.simulator.log import PersonLog
from services.simulator.noise import Mistakes
from services.simulator.population.plans import Crossing, Span
from services.simulator.population.rates import OTHER_CLOCK
from services.simulator.rng import Rng

if TYPE_CHECKING:
    import httpx

    from services.simulator.push import PushKey

MOST_MINUTES = 20
"""By how much two clocks differ at most."""
Counts = dict[str, int]
"""What was written. `read`, `published` and `filtered` are what ingest has to count; anything else is for people."""

Feeds = Mapping[str, Mapping[str, Any]]
"""The settings of feeds by their name, such as `{"I94.nightly": {"url": "file:///..."}}`."""


@dataclass(frozen=True, slots=True)
class DepartureReports:
    """How a system reports departures. One departure may be reported by several systems; it is the same crossing.

    `can`: which departures the system may report at all; with a time, unless it says otherwise. `main`: the system
    reports every departure that no other system reports alone.
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

    def clock(self) -> Clock:
        """Return the clock of a system that writes down crossings at another minute than the inspector does."""
        return Clock(self.rng("clock"))


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock of a system's own."""

    rng: Rng

    def of(self, crossing: Crossing) -> Crossing:
        """Return a crossing as this clock has it: up to 20 minutes earlier or later, on the same day.

        A crossing of which only the day is known stays as it is, and so does one on a day when clocks are set.
        """
        minutes = self.rng.between(-MOST_MINUTES, MOST_MINUTES) if self.rng.chance(OTHER_CLOCK) else 0
        if not minutes or crossing.second is None or changes(crossing.day, crossing.zone):
            return crossing
        second = crossing.second + 60 * minutes
        if not 0 <= second < DAY:
            return crossing
        return replace(crossing, second=second, at=crossing.at + 60 * minutes)


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
    empty queue, `server` that of an empty server of the system's own kind (SFTP, a database, Kafka), where there is
    one; without it the system has a double of its own.
    """

    door: httpx.AsyncClient | None = None
    key: PushKey | None = None
    queue: str = ""
    server: str = ""


async def nothing_to_send() -> None:
    """Send nothing: the middleware fetches everything."""


@dataclass(frozen=True, slots=True)
class Served:
    """A system that answers: where its feeds are, and a coroutine that sends what the system sends by itself.

    `questions`: identifiers (`scheme/issuer/value`) by feed, for a system that tells nothing by itself and is asked.
    """

    feeds: Feeds = field(default_factory=dict)
    send: Callable[[], Awaitable[None]] = nothing_to_send
    questions: Mapping[str, Sequence[str]] = field(default_factory=dict)


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
    """Parts of the population that exist only where this system is written.

    `students`, `asylum`, `naturalisation`; `online`: applications filed online, which this system then holds alone;
    `shown`: departures that persons can show and no system reports.
    """
    derived: bool = False
    """Whether it repeats what others reported: it is written last, when `log.records` has theirs."""
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
