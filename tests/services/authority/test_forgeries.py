"""A forger with the rights of one system's ingest tries thirty things, and changes nothing of the view."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from authorised_kafka import OWNER, AuthorisedKafka
from forgeries import FORGER, Forger, Honest, honest
from typer.testing import CliRunner

from bus.contract import Bus, BusError, Message
from bus.events import message_of
from schemas.topics import ARRIVALS, AUDIT_HEADS, CHANGES, CONTROL, DEAD_LETTERS, DEPARTURES, EVENT_TOPICS, STATUSES
from services.authority import accounts, admission, rights
from services.authority.keys import KeyFiles, make, path_of
from services.authority.signatures import Signer, Verifier
from services.cli import app
from services.correlator import process
from services.export import lines
from services.settings import Settings, load
from services.store import open_store
from services.wiring import open_bus, topics

View = tuple[list[bytes], Any]


@dataclass(frozen=True)
class Installation:
    """Where everything is, and the settings of each of its accounts."""

    directory: Path
    account: Callable[[str], dict[str, str]]

    def settings(self, account: str, keys: Sequence[str] | None) -> Settings:
        """The settings of an account's process, which is given the keys of these systems; None for all, () for none."""
        environment = {"VISABUS_DATA_DIR": str(self.directory / "data"), **self.account(account)}
        if keys is None:
            environment["VISABUS_SIGNING__KEYS"] = str(self.directory / "keys")
        elif keys:
            own = self.directory / f"keys-{account}"
            own.mkdir(exist_ok=True)
            for system in keys:
                shutil.copy(path_of(self.directory / "keys", system), own)
            environment["VISABUS_SIGNING__KEYS"] = str(own)
        return load(environment=environment)

    async def publish(self, said: Honest) -> None:
        """Each event by the account of its system, signed."""
        for event in said.events:
            account = "visabus-examiner" if event.system == "VISABUS" else accounts.ingest_account(event.system)
            async with opened(self.settings(account, [event.system])) as bus:
                await bus.declare(topics())
                await sent(bus, [message_of(event)])

    async def correlated(self, keys: Sequence[str] | None = None) -> View:
        """The view, once the correlator has taken in all."""
        settings = self.settings("visabus-correlator", keys)
        async with asyncio.timeout(120):
            await process.run(settings, once=True, stop=asyncio.Event())
        store = await open_store(settings.store_url)
        try:
            return [line async for line in lines(store.reads)], await store.reads.coverage()
        finally:
            await store.close()

    def forger(self, said: Honest, seen: dict[Any, Message]) -> Forger:
        """The forger with its own key."""
        keys = self.settings(accounts.ingest_account(FORGER), [FORGER]).signing.keys
        assert keys is not None
        return Forger(Signer(KeyFiles(keys)), seen, said)

    async def seen(self) -> dict[Any, Message]:
        """All that stands on the bus, by the id of the event: the owner shows it."""
        messages = {}
        async with opened(self.settings(OWNER, ())) as bus:
            for topic in EVENT_TOPICS:
                async for one in bus.read(topic):
                    if one.value is not None and one.value.startswith(b'{"'):
                        identity = orjson.loads(one.value)["id"]
                        messages[identity] = Message(topic, one.key, one.value, one.headers)
        return messages

    async def forge(self, tries: dict[str, Message]) -> list[str]:
        """Send what the forger tries, past all that ingest would say to it; what its account was not let write."""
        denied = []
        async with opened(self.settings(accounts.ingest_account(FORGER), ())) as bus:
            for name, message in tries.items():
                try:
                    await sent(bus, [message])
                except BusError:
                    denied.append(name)
        return denied

    async def letters(self) -> list[str]:
        """The reasons of the correlator's dead letters."""
        async with opened(self.settings(OWNER, ())) as bus:
            return [orjson.loads(one.value or b"")["reason"] async for one in bus.read(DEAD_LETTERS)]


class opened:
    """A bus for a while."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> Bus:
        self._bus = await open_bus(self._settings)
        return self._bus

    async def __aexit__(self, *_: object) -> None:
        await self._bus.close()


async def sent(bus: Bus, messages: Sequence[Message]) -> None:
    producer = await bus.producer()
    try:
        await producer.send(messages)
    finally:
        await producer.close()


@pytest.fixture
def said() -> Honest:
    return honest()


def with_keys(directory: Path) -> None:
    for system in ("I94", "RAPS", "VISABUS", FORGER):
        make(directory / "keys", system)


@pytest.fixture
def embedded(tmp_path: Path) -> Installation:
    """Everything in files: there are no accounts, so a forger may write every topic."""
    with_keys(tmp_path)
    return Installation(tmp_path, lambda account: {})


async def tried(installation: Installation, said: Honest, keys: Sequence[str] | None = None) -> tuple[View, View]:
    """The view before the forger came, and after."""
    await installation.publish(said)
    before = await installation.correlated()
    forger = installation.forger(said, await by_id(installation, said))
    await installation.forge(forger.tries())
    return before, await installation.correlated(keys)


@pytest.mark.law(9, "thirty forgeries with the rights of one system's ingest change nothing of the view")
async def test_a_forger_changes_nothing(embedded: Installation, said: Honest) -> None:
    before, after = await tried(embedded, said)
    assert before == after
    assert len(before[0]) >= 2
    reasons = await embedded.letters()
    assert len(reasons) == len(embedded.forger(said, await by_id(embedded, said)).tries())
    assert len(set(reasons)) >= 12


async def by_id(installation: Installation, said: Honest) -> dict[Any, Message]:
    seen = await installation.seen()
    return {event.id: seen[str(event.id)] for event in said.events}


PLANTED: dict[str, Callable[[], Any]] = {
    "kinds, scopes and evidence are not asked": lambda: patch.object(rights.Rights, "check", lambda self, event: None),
    "the place is not asked": lambda: patch.object(admission.Judging, "_check_place", lambda self, wire: None),
    "whose signature it is is not asked": lambda: patch.object(
        admission.Judging, "_check_signer", lambda self, wire: None
    ),
    "signatures are not checked": lambda: patch.object(Verifier, "signer_of", lambda self, one, now: owner(one.value)),
    "stamps are not looked at": lambda: patch("services.authority.stamps.Latest.check", lambda self, known, at: None),
}


def owner(value: bytes | None) -> str:
    """The system that a value names: what a reader believes that checks no signature."""
    try:
        return str(orjson.loads(value or b"")["system"])
    except (ValueError, KeyError):
        return FORGER


@pytest.mark.parametrize("bug", PLANTED)
@pytest.mark.law(9, planted="an admission that does not ask for kind, place, signer, signature or stamps")
async def test_a_check_that_is_left_out_is_caught(embedded: Installation, said: Honest, bug: str) -> None:
    await embedded.publish(said)
    before = await embedded.correlated()
    forger = embedded.forger(said, await by_id(embedded, said))
    await embedded.forge(forger.tries())
    with PLANTED[bug]():
        assert await embedded.correlated() != before


@pytest.fixture
def on_kafka(kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """A Kafka with an account for each process, and the rules that the command makes. `kafka` knows whether one can be
    had."""
    from adapters.registry import systems

    with_keys(tmp_path)
    broker = AuthorisedKafka(tmp_path / "kafka", accounts=[each.name for each in accounts.accounts(systems())])
    broker.start()
    try:
        for name, value in {**broker.environment(OWNER), "VISABUS_DATA_DIR": str(tmp_path / "data")}.items():
            monkeypatch.setenv(name, value)
        for command in (["topics", "create"], ["topics", "acls", "--apply"], ["topics", "acls", "--apply"]):
            done = CliRunner().invoke(app, command)
            assert done.exit_code == 0, done.output
        yield Installation(tmp_path, broker.environment)
    finally:
        broker.stop()


@pytest.mark.slow
@pytest.mark.law(9, "the same on Kafka, with the rules that `visabus topics acls` makes")
async def test_a_forger_changes_nothing_on_kafka(on_kafka: Installation, said: Honest) -> None:
    await on_kafka.publish(said)
    before = await on_kafka.correlated()
    forger = on_kafka.forger(said, await by_id(on_kafka, said))
    tries = forger.tries()
    change = Message(CHANGES, b"0" * 32, b"{}", ())
    tries |= {"a change of the view": change, "a head of the audit log": Message(AUDIT_HEADS, b"k", b"{}", ())}
    denied = await on_kafka.forge(tries)
    assert set(denied) == {
        "a kind that it does not tell, on its topic",
        "a mark taken off another's case",
        "a change of the view",
        "a head of the audit log",
    }
    assert await on_kafka.correlated() == before
    assert len(await on_kafka.letters()) == len(tries) - len(denied)
    await reads_nothing(on_kafka)


async def reads_nothing(installation: Installation) -> None:
    """The forger's account reads neither events nor changes."""
    async with opened(installation.settings(accounts.ingest_account(FORGER), ())) as bus:
        for topic in (ARRIVALS, DEPARTURES, STATUSES, CONTROL, CHANGES, DEAD_LETTERS):
            with pytest.raises(BusError):
                await contents(bus, topic)


async def contents(bus: Bus, topic: str) -> list[bytes | None]:
    return [message.value async for message in bus.read(topic)]
