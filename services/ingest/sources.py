"""What a host is asked to read, and how it ended: a feed at an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters import registry
from adapters.core import Connection, Credentials, Feed, NamesFiles, Pushed, System
from services.authority.keys import path_of
from services.feeds import Counters
from services.nearest import no_system
from services.settings import FeedSettings, Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Source:
    """A feed at an address."""

    system: System
    feed: Feed
    url: str
    credentials: Credentials | None = None

    def open(self) -> Connection:
        """Open the source. Raises SourceDown, ValueError."""
        transport = self.feed.transport
        if isinstance(transport, Pushed):
            raise ValueError(f"{self.name} is pushed: nothing can fetch it")
        return transport.open(self.url, self.feed.format, self.credentials)

    @property
    def name(self) -> str:
        """The name in the settings."""
        return f"{self.system.name}.{self.feed.name}"

    @property
    def key(self) -> str:
        """The key in the topic of checkpoints."""
        return f"{self.system.name}/{self.feed.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one feed ended. `counters` are as of its checkpoint, over all runs; `deferred` is, in words, what the source
    holds and the transport left for later."""

    name: str
    counters: Counters
    error: str | None = None
    deferred: tuple[str, ...] = ()


def sources(settings: Settings, names: Sequence[str] = (), known: Mapping[str, System] | None = None) -> list[Source]:
    """Return the feeds that settings give an address, or those of them that are named. Raises SettingsError."""
    system_of = known.get if known is not None else registry.system_of
    mistakes = [f"feeds.{name}: not among the feeds of the settings" for name in names if name not in settings.feeds]
    feeds: list[Source] = []
    for name, at in settings.feeds.items():
        if names and name not in names:
            continue
        system_name, _, feed_name = name.rpartition(".")
        system = system_of(system_name)
        if system is None:
            mistakes.append(f"feeds.{name}: {no_system(system_name, registry.systems() if known is None else known)}")
            continue
        try:
            feed = system.feed(feed_name)
        except KeyError as error:
            mistakes.append(f"feeds.{name}: {error.args[0]}")
            continue
        if (missing := without_key(settings, system_name)) is not None:
            mistakes.append(missing)
        if isinstance(feed.transport, Pushed):
            mistakes.append(f"feeds.{name}: {system_name} pushes it, so it has no address; `visabus door` takes it")
            continue
        try:
            feeds.append(Source(system, feed.configured(_options(at)), at.url, _credentials(at)))
        except ValueError as error:
            mistakes.append(f"feeds.{name}.options: {error}")
    if mistakes:
        raise SettingsError(mistakes)
    return feeds


def _options(at: FeedSettings) -> dict[str, Any]:
    secret = at.key_secret
    return dict(at.options) | ({"ssl_password": secret.get_secret_value()} if secret is not None else {})


def names_files(feed: Feed) -> bool:
    """Whether a feed is one of files under their names, so that it can be read again from one of them on."""
    return isinstance(feed.transport, NamesFiles) and feed.transport.names_files


def without_key(settings: Settings, system: str) -> str | None:
    """What is wrong where events are signed, and a system has no key to sign by."""
    directory = settings.signing.keys
    if directory is None or path_of(directory, system).is_file():
        return None
    return f"signing.keys: {directory} has no key of {system}; `visabus keys make {system}` makes one"


def _credentials(at: FeedSettings) -> Credentials | None:
    return Credentials(at.user, at.secret.get_secret_value()) if at.user is not None and at.secret is not None else None
