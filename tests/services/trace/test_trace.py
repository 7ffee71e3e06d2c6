"""What became of a record: told for a record at every point at which it can be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from toy_source import once, settings, toy, world

from adapters import registry
from bus.contract import Message
from bus.embedded import EmbeddedBus
from schemas.identifiers import Identifier, Scheme
from schemas.operations import StepKind, Trace
from schemas.topics import CHANGES
from services.correlator import process
from services.dead_letters import Selection, read
from services.keyring import ring
from services.receipts import KEYS, Index
from services.store import Store, open_store
from services.store.tables import KEY, QUARANTINE
from services.trace import ByEvent, ByFile, ByIdentifier, ByRecord, Tracer, question_of
from services.wiring import topics

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@dataclass
class Installation:
    """A bus, a store and a folder of the toy."""

    path: Path
    bus: EmbeddedBus
    store: Store

    async def ingest(self, **files: Sequence[str]) -> None:
        for name, lines in files.items():
            (self.path / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
        await once(self.path, self.bus)

    async def correlate(self) -> None:
        await process.run(settings(self.path), once=True, stop=asyncio.Event())

    async def kinds(self, record: str, *, confidential: bool = False) -> list[StepKind]:
        trace = await self.trace(ByRecord("TOY", record), confidential=confidential)
        return [step.kind for record in trace.records for step in record.steps]

    async def trace(self, about: ByRecord | ByEvent | ByIdentifier | ByFile, *, confidential: bool = False) -> Trace:
        index = Index(self.path / "receipts.db", ring(self.path / "data" / KEYS))
        await index.follow(self.bus, "toy")
        tracer = Tracer(self.bus, self.store.reads, index, registry.systems())
        return await tracer.trace(about, "this", NOW, confidential=confidential)


@pytest.fixture
async def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Installation]:
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": toy(tmp_path).system})
    at = settings(tmp_path)
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await bus.declare(topics())
    store = await open_store(at.store_url)
    yield Installation(tmp_path, bus, store)
    await store.close()
    await bus.close()


RECEIVED, PUBLISHED, COMMITTED, MISSING = StepKind.RECEIVED, StepKind.PUBLISHED, StepKind.COMMITTED, StepKind.MISSING
WHOSE = [StepKind.PERSON, StepKind.STATUS]


async def test_a_record_that_went_all_the_way(installation: Installation) -> None:
    await installation.ingest(a=["good 1", "good 2"])
    await installation.correlate()
    assert sorted(await installation.kinds("1")) == sorted([RECEIVED, PUBLISHED, COMMITTED, *WHOSE, StepKind.CHANGED])


async def test_a_record_that_no_correlator_has_read(installation: Installation) -> None:
    await installation.ingest(a=["two 1"])
    kinds = await installation.kinds("1")
    assert sorted(kinds) == sorted([RECEIVED, PUBLISHED, MISSING, PUBLISHED, MISSING])


async def test_a_record_that_was_refused(installation: Installation) -> None:
    await installation.ingest(a=["refuse 1", "good 2"])
    await installation.correlate()
    trace = await installation.trace(ByRecord("TOY", "1"), confidential=True)
    (record,) = trace.records
    refused = next(step for step in record.steps if step.kind is StepKind.REFUSED)
    assert "refused by the mapping" in refused.what
    assert refused.where == "lines: a.txt, line 1"
    assert {step.kind for step in record.steps} == {RECEIVED, StepKind.REFUSED}


async def test_a_record_that_was_replayed(installation: Installation) -> None:
    await installation.ingest(a=["refuse 1"])
    producer = await installation.bus.producer()
    (letter,) = await read(installation.bus, Selection())
    await producer.send([letter.replay_mark(1)])
    await producer.close()
    assert set(await installation.kinds("1", confidential=True)) == {RECEIVED, StepKind.REFUSED, StepKind.REPLAYED}


async def test_a_record_that_a_rule_left_out(installation: Installation) -> None:
    await installation.ingest(a=["good 1", "skip 2"], b=["skip 1"])
    trace = await installation.trace(ByRecord("TOY", "2"))
    (record,) = trace.records
    assert [step.kind for step in record.steps] == [RECEIVED, StepKind.LEFT_OUT]
    assert record.steps[1].what == "by the rule toy.skip"
    assert StepKind.LEFT_OUT in await installation.kinds("1")  # in the second file, not in the first
    assert (await installation.kinds("1")).count(StepKind.LEFT_OUT) == 1


async def test_a_record_whose_pool_is_quarantined(installation: Installation) -> None:
    await installation.ingest(a=["good 1"])
    await installation.correlate()
    async with installation.store.engine.begin() as connection:
        pool = (await connection.execute(select(KEY.c.pool).limit(1))).scalar_one()
        await connection.execute(QUARANTINE.insert().values(pool=pool, why="resolve.py:7"))
    kinds = await installation.kinds("1")
    assert kinds[-1] is StepKind.QUARANTINED
    assert StepKind.PERSON not in kinds


async def test_an_event_a_number_and_a_file_lead_there(installation: Installation) -> None:
    await installation.ingest(a=["good 1", "bad x", "skip 3", "through 4"])
    await installation.correlate()
    event = next(event for event in (await world(installation.bus)).events if event.record == "1")
    by_record = await installation.trace(ByRecord("TOY", "1"))
    assert (await installation.trace(ByEvent(UUID(str(event.id))))).records == by_record.records
    number = Identifier(scheme=Scheme.FIN, value="000000001", issuer="OBIM")
    assert (await installation.trace(ByIdentifier(number))).records == by_record.records
    of_file = await installation.trace(ByFile("a.txt"), confidential=True)
    assert [step.kind for step in of_file.batches] == [RECEIVED, StepKind.LEFT_OUT, StepKind.REFUSED] or [
        step.kind for step in of_file.batches
    ] == [StepKind.REFUSED, RECEIVED, StepKind.LEFT_OUT]
    assert "1 left out by toy.skip" in next(step.what for step in of_file.batches if step.kind is RECEIVED)
    plain = await installation.trace(ByFile("a.txt"))
    assert [step.what for step in plain.batches if step.kind is RECEIVED] == ["read"]


@pytest.mark.parametrize(
    "about",
    [
        ByRecord("TOY", "99"),
        ByEvent(UUID(int=7)),
        ByFile("z.txt"),
        ByIdentifier(Identifier(scheme=Scheme.FIN, value="000000099", issuer="OBIM")),
    ],
)
async def test_nothing_known_is_said(about: ByRecord, installation: Installation) -> None:
    await installation.ingest(a=["good 1"])
    with pytest.raises(LookupError, match=r"nothing is known|no event|no record"):
        await installation.trace(about)


def test_a_question_is_read_from_what_is_pasted() -> None:
    systems = {"I94", "SEVIS"}
    assert question_of(["i94", "99"], systems) == ByRecord("I94", "99")
    assert question_of(["I94 99"], systems) == ByRecord("I94", "99")
    assert question_of([str(UUID(int=7))], systems) == ByEvent(UUID(int=7))
    assert question_of(["fin/OBIM/000000001"], systems) == ByIdentifier(
        Identifier(scheme=Scheme.FIN, value="000000001", issuer="OBIM")
    )
    i94 = ByIdentifier(Identifier(scheme=Scheme.I94, value="34459325217", issuer="CBP"))
    assert question_of(["i94/34459325217"], systems) == i94  # of one issuer: it need not be said
    assert question_of(["I94/CBP/34459325217"], systems) == i94
    assert question_of(["i94/344 5932 5217"], systems) == i94
    assert question_of(["I94.D20250210.S000102"], systems) == ByFile("I94.D20250210.S000102")
    for words in (["X", "1"], [""], [], ["I94", "1", "2"]):
        with pytest.raises(ValueError, match="SYSTEM KEY"):
            question_of(words, systems)


@pytest.mark.parametrize("pasted", ["i94/4?4", "passport/L01X00T47", "fin/OBIM/x99"])
def test_what_is_no_number_is_refused_in_one_line_without_it(pasted: str) -> None:
    with pytest.raises(ValueError, match=r"^that is no number of the scheme") as refused:
        question_of([pasted], {"I94"})
    assert "\n" not in str(refused.value)
    assert pasted.rpartition("/")[2] not in str(refused.value)


async def test_the_answer_is_json(installation: Installation) -> None:
    await installation.ingest(a=["good 1"])
    trace = await installation.trace(ByRecord("TOY", "1"))
    assert json.loads(trace.model_dump_json())["records"][0]["steps"]


async def test_a_message_that_is_no_change_hides_no_other(tmp_path: Path) -> None:
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    producer = await bus.producer()
    change = json.dumps({"outcome": "PENDING", "ended": False, "at": NOW.isoformat(), "sequence": 1}).encode()
    for body in (b"no JSON", b"[]", b'{"outcome": "PENDING"}', change):
        await producer.send([Message(CHANGES, b"00", body)])
    try:
        index = Index(tmp_path / "receipts.db", ring(tmp_path / KEYS))
        changes = await Tracer(bus, None, index, {})._changes(["00"], False)
        assert [step.what for step in changes["00"]] == ["change 1 of the person: PENDING"]
    finally:
        await producer.close()
        await bus.close()
