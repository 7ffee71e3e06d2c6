"""Dead letters listed, shown, mended and replayed: over real letters of the systems' own cases."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from systems.cases import HERE
from systems.claims3.build import database as rows_of
from systems.claims3.build import insert, row
from systems.i94.build import ARRIVAL, DEPARTURE, detail, header, night
from systems.ident.build import ENTRY, encounter, message
from systems.sevis.build import batch, create
from toy_source import once as run_toy
from toy_source import world
from typer.testing import CliRunner

from adapters.core import Feed, Met, Record, System
from adapters.decode import decode_file
from adapters.formats.fixed import FixedFormat
from adapters.registry import systems
from adapters.transports.file_drop import FileDrop
from bus.contract import Bus, Message
from bus.embedded import EmbeddedBus
from schemas.topics import DEAD_LETTERS
from services import failpoints
from services.cli import app
from services.dead_letters import Selection, Spool, group, load, message_of_body, read
from services.ingest import Source, now, recorded, run
from services.ingest.replay import replay
from services.settings import Settings
from services.settings import load as load_settings
from services.wiring import topics

SYSTEMS = systems()


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    opened = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def settings(data: Path, **ingest: Any) -> Settings:
    return load_settings(environment={}, data_dir=data, ingest={"fence_seconds": 0.05, "refuse_min": 10_000} | ingest)


async def ingest(data: Path, bus: Bus, system: str, url: str, **options: Any) -> None:
    """Read a feed to its end."""
    feed = SYSTEMS[system].feeds[0]
    feed = feed.configured({**options})
    outcomes = await run(settings(data), [Source(SYSTEMS[system], feed, url)], once=True, clock=recorded, bus=bus)
    assert [outcome.error for outcome in outcomes] == [None]


async def nights(data: Path, bus: Bus, **files: bytes) -> Path:
    """I-94 files, named by their sequence."""
    folder = data / "in"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"I94.D20250314.{name}").write_bytes(content)
    await ingest(data, bus, "I94", str(folder), unchanged=0.0, patience=0.0)
    return folder


def mended(system: str, **changes: Any) -> dict[str, System]:
    """The systems with one that has another mapping."""
    (feed,) = SYSTEMS[system].feeds
    return SYSTEMS | {system: replace(SYSTEMS[system], feeds=(replace(feed, **changes),))}


async def all_of(
    bus: Bus,
    data: Path,
    choice: Selection,
    *,
    known: dict[str, System] | None = None,
    raw: bytes | None = None,
    action: failpoints.Action = failpoints.ignore,
) -> list[tuple[str, str | None]]:
    """Replay what is selected: outcome and why."""
    producer = await bus.producer()
    selected = load(bus, await read(bus, choice))
    spool = Spool(data / "spool")
    results = replay(known or SYSTEMS, selected, producer, spool, now, mended=raw)
    try:
        with failpoints.armed(action):
            return [(result.outcome, result.why) async for result in results]
    finally:
        await producer.close()


HEADLESS = "nothing says which header it stood behind: read its file again"
BAD = detail(ARRIVAL, MODE_CODE="Q")


# --- what is replayed --------------------------------------------------------------------------------------------


@pytest.mark.law(3, "a replayed letter")
async def test_a_mended_record_gets_the_ids_of_a_first_reading(data: Path, bus: Bus) -> None:
    await nights(data, bus, S000412=night([detail(DEPARTURE), BAD]))
    (dead_letter,) = await read(bus, Selection(), whole=True)
    assert dead_letter.context == header()
    good = detail(ARRIVAL, PORT_CODE="EWR")
    assert await all_of(bus, data, Selection((dead_letter.id,)), raw=good) == [("publish", None)]
    first = {
        str(event.id)
        for result in decode_file(SYSTEMS["I94"], night([detail(DEPARTURE), good]))
        for event in result.events
        if event.kind != "coverage"
    }
    seen = await world(bus)
    assert set(seen.ids()) == first
    mended_event = next(event for event in seen.events if event.kind == "arrival")
    assert (mended_event.place, mended_event.batch) == ("record 3, byte 500", "I94.D20250314.S000412")
    assert mended_event.published_at is not None


async def test_a_mended_mapping_reads_the_letters_own_bytes(data: Path, bus: Bus) -> None:
    await nights(data, bus, S000412=night([BAD, detail(DEPARTURE, MODE_CODE="Q")]), S000413=night([BAD], 413))
    assert [outcome for outcome, _ in await all_of(bus, data, Selection(system="I94"))] == ["refused"] * 3
    assert (await world(bus)).events == []
    known = with_mode("Q")
    assert await all_of(bus, data, Selection(reason="no code table"), known=known) == [("publish", None)] * 3
    events = (await world(bus)).events
    assert sorted(event.revision.number for event in events) == [4_120_000_002, 4_120_000_003, 4_130_000_002]
    assert {getattr(event, "mode", None) for event in events} == {"sea"}


def with_mode(code: str) -> dict[str, System]:
    """A mapping that knows one mode more."""
    sound: Callable[..., Any] = SYSTEMS["I94"].feeds[0].mapping

    def mapping(entry: Any, origin: Any) -> Any:
        if entry.fields.get("MODE-CODE") == code:
            entry = replace(entry, fields={**entry.fields, "MODE-CODE": "S"})
        return sound(entry, origin)

    return mended("I94", mapping=mapping)


@pytest.mark.law(3, "and once more")
async def test_replaying_twice_changes_nothing_and_says_so(data: Path, bus: Bus) -> None:
    await nights(data, bus, S000412=night([BAD]))
    known = with_mode("Q")
    assert await all_of(bus, data, Selection(system="I94"), known=known) == [("publish", None)]
    before = await everything(bus)
    ((outcome, why),) = await all_of(bus, data, Selection(system="I94"), known=known)
    assert outcome == "already"
    assert why is not None
    assert why.startswith("replayed at 20")
    assert await everything(bus) == before


async def everything(bus: Bus) -> list[bytes | None]:
    """All messages but the positions."""
    names = [topic.name for topic in topics()]
    return [delivery.value for name in names for delivery in [each async for each in bus.read(name)]]


class Crash(BaseException):
    """Stands for a death of the process."""


@pytest.mark.law(2, "dead letters replayed")
@pytest.mark.parametrize("point", ["replay.sent", "replay.marked"])
async def test_a_replay_that_crashes_half_way_is_taken_up_again(data: Path, bus: Bus, point: str) -> None:
    """At every dead_letter, before and behind its mark: in the end each event once, each letter marked once."""
    bad = [detail(ARRIVAL, TXN_NUMBER=number, MODE_CODE="Q") for number in range(1, 5)]
    await nights(data, bus, S000412=night(bad))

    def dying(at: int) -> Any:
        hits = 0

        async def crash(where: str) -> None:
            nonlocal hits
            hits += where == point
            if hits == at:
                raise Crash

        return crash

    known = with_mode("Q")
    for at in (1, 2, 1):
        with pytest.raises(Crash):
            await all_of(bus, data, Selection(pending=True), known=known, action=dying(at))
    await all_of(bus, data, Selection(), known=known)
    seen = await world(bus)
    assert {event.record for event in seen.events} == {f"{number:011}" for number in range(1, 5)}
    assert len(seen.ids()) == 4, "the same ids, however often they were sent"
    assert await read(bus, Selection(pending=True)) == []
    assert len([dead_letter for dead_letter in seen.dead_letters if dead_letter["replayed"]]) == 4
    assert seen.checkpoints["I94/nightly"]["counters"]["dead_lettered"] == 4


async def test_a_file_read_again_behind_a_replay_brings_no_letter_back(data: Path, bus: Bus) -> None:
    await nights(data, bus, S000412=night([BAD]))
    await all_of(bus, data, Selection(), known=with_mode("Q"))
    first = [each for each in await everything(bus) if each and b'"replayed":false' in each]
    producer = await bus.producer()
    await producer.send([message_of_body(orjson.loads(body)) for body in first])
    await producer.close()
    assert await read(bus, Selection(pending=True)) == []


async def test_a_row_is_replayed_as_it_was_mended(data: Path, bus: Bus) -> None:
    path = data / "claims.db"
    wrong, mended = ({"action_date": day, "filed_date": "2025-02-28"} for day in ("2025-02-30", "2025-02-28"))
    path.write_bytes(rows_of(insert([row(), row(action_id=4712, **wrong)])))
    await ingest(data, bus, "CLAIMS3", f"sqlite+aiosqlite:///{path}")
    (dead_letter,) = await read(bus, Selection(system="CLAIMS3"), whole=True)
    assert await all_of(bus, data, Selection((dead_letter.id,))) == [("refused", "action_date '2025-02-30' is no date")]
    right = orjson.dumps(orjson.loads(dead_letter.raw) | mended)
    assert await all_of(bus, data, Selection((dead_letter.id,)), raw=right) == [("publish", None)]
    left_out = orjson.dumps(orjson.loads(dead_letter.raw) | {"form_type": "I-765"})
    assert (await all_of(bus, data, Selection((dead_letter.id,)), raw=left_out))[0][0] == "already"
    again = decode_file(SYSTEMS["CLAIMS3"], rows_of(insert([row(action_id=4712, **mended)])))
    assert {str(event.id) for result in again for event in result.events} <= set((await world(bus)).ids())


async def test_an_encounter_is_replayed_behind_the_head_of_its_message(data: Path, bus: Bus) -> None:
    folder = data / "in"
    folder.mkdir()
    (folder / "a.xml").write_bytes(
        message(encounter(), encounter(ENTRY, port="QQQ"), encounter(id="E0000000090", version="?"))
    )
    feed = replace(SYSTEMS["IDENT"].feeds[0], transport=FileDrop(unchanged=0.0))
    await run(settings(data), [Source(SYSTEMS["IDENT"], feed, str(folder))], once=True, clock=recorded, bus=bus)
    first, last = await read(bus, Selection(system="IDENT"), whole=True)
    assert await all_of(bus, data, Selection((first.id,)), raw=first.raw.replace(b"QQQ", b"JFK")) == [("publish", None)]
    assert await all_of(bus, data, Selection((last.id,)), raw=last.raw.replace(b"?", b"1")) == [("publish", None)]
    wanted = message(encounter(), encounter(ENTRY, port="JFK"), encounter(id="E0000000090", version="1"))
    ids = {str(event.id) for result in decode_file(SYSTEMS["IDENT"], wanted) for event in result.events}
    assert set((await world(bus)).ids()) == ids


async def test_a_record_of_a_batch_is_replayed_behind_its_header_at_its_number(data: Path, bus: Bus) -> None:
    folder = data / "in"
    folder.mkdir()
    three = [create(requestID=f"A10{number}") for number in range(3)]
    broken = [three[0], *(each.replace("<ResultCode>S", "<ResultCode>Q") for each in three[1:])]
    (folder / "SEVIS.D20250314.S000412.xml").write_bytes(batch(broken).encode())
    await ingest(data, bus, "SEVIS", str(folder), unchanged=0.0, patience=0.0, unwrap=None, pattern="*")
    dead_letters = await read(bus, Selection(system="SEVIS"), whole=True)
    assert [dead_letter.ordinal for dead_letter in dead_letters] == [2, 3]
    for dead_letter in dead_letters:
        right = dead_letter.raw.replace(b"<ResultCode>Q", b"<ResultCode>S")
        assert await all_of(bus, data, Selection((dead_letter.id,)), raw=right) == [("publish", None)]
    wanted = decode_file(replace(SYSTEMS["SEVIS"], feeds=(plain_batches(),)), batch(three).encode())
    ids = {str(event.id) for result in wanted for event in result.events if event.kind != "coverage"}
    assert set((await world(bus)).ids()) == ids


def plain_batches() -> Feed:
    """The SEVIS feed over documents that are not zipped."""
    return replace(SYSTEMS["SEVIS"].feeds[0], transport=FileDrop())


async def test_bytes_in_the_spool_are_replayed_and_missing_ones_are_told(data: Path, bus: Bus) -> None:
    folder = data / "in"
    folder.mkdir()
    (folder / "a.xml").write_bytes(
        message(encounter()).replace(b"<ident:Person>", b"<ident:Person >" + b" " * 300_000, 1)
    )
    (folder / "b.xml").write_bytes(message(encounter(ENTRY)) + b"<" + b" " * 300_000)
    feed = replace(SYSTEMS["IDENT"].feeds[0], transport=FileDrop(unchanged=0.0))
    await run(settings(data), [Source(SYSTEMS["IDENT"], feed, str(folder))], once=True, clock=recorded, bus=bus)
    (dead_letter,) = await read(bus, Selection(), whole=True)
    assert dead_letter.spooled is not None
    assert dead_letter.bytes_of(Spool(data / "spool")).startswith(b"<?xml")
    assert await all_of(bus, data, Selection(), raw=message(encounter(ENTRY))) == [("publish", None)]


async def test_a_spool_that_is_elsewhere_is_told(tmp_path: Path, data: Path, bus: Bus) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("huge 1")
    await run_toy(folder, bus)
    known = SYSTEMS | {
        "TOY": replace(SYSTEMS["IDENT"], name="TOY", feeds=(replace(SYSTEMS["IDENT"].feeds[0], name="lines"),))
    }
    ((outcome, why),) = await all_of(bus, data, Selection(), known=known)
    assert (outcome, why) == ("refused", "its bytes are not in the spool of this data directory")


async def test_what_is_no_record_alone_is_not_replayed(data: Path, bus: Bus) -> None:
    case = (HERE / "i94" / "cases" / "wrong-count" / "input.dat").read_bytes()
    headless = (HERE / "i94" / "cases" / "no-header" / "input.dat").read_bytes()
    await nights(data, bus, S000412=case, S000414=headless)
    reasons = {why for _, why in await all_of(bus, data, Selection())}
    assert reasons == {
        "no detail: a header or trailer is mended with its file",
        HEADLESS,
    }


async def test_dead_letters_without_a_context_are_listed_and_refused_with_what_to_do(data: Path, bus: Bus) -> None:
    await nights(data, bus, S000412=night([BAD]))
    (body,) = (await world(bus)).dead_letters
    bare = {name: value for name, value in body.items() if name not in ("context", "ordinal", "replayed")} | {
        "id": "0" * 36
    }
    producer = await bus.producer()
    await producer.send([message_of_body(bare)])
    await producer.close()
    (dead_letter,) = await read(bus, Selection(("0000",)), whole=True)
    assert (dead_letter.context, dead_letter.ordinal, dead_letter.replayed) == (None, None, None)
    ((outcome, why),) = await all_of(bus, data, Selection(("0000",)), known=with_mode("Q"))
    assert (outcome, why) == (
        "refused",
        HEADLESS,
    )


async def test_nothing_of_a_letter_is_published_unless_all_of_it_can_be_read(data: Path, bus: Bus) -> None:
    folder = data / "in"
    folder.mkdir()
    (folder / "a.xml").write_bytes(message(encounter(), encounter(ENTRY))[:-30])
    feed = replace(SYSTEMS["IDENT"].feeds[0], transport=FileDrop(unchanged=0.0))
    await run(settings(data), [Source(SYSTEMS["IDENT"], feed, str(folder))], once=True, clock=recorded, bus=bus)
    half = message(encounter(), encounter(ENTRY, port="QQQ"))
    assert [outcome for outcome, _ in await all_of(bus, data, Selection(), raw=half)] == ["refused"]
    assert (await world(bus)).events == []
    assert await all_of(bus, data, Selection(), raw=message(encounter(), encounter(ENTRY))) == [("publish", None)]
    assert len((await world(bus)).events) == 2


async def test_every_letter_of_every_case_is_judged_without_an_error(data: Path, bus: Bus) -> None:
    """Whatever was refused in the cases of the I-94 can be looked at and tried again."""
    folder = data / "in"
    folder.mkdir()
    for number, case in enumerate(sorted((HERE / "i94" / "cases").iterdir()), 1):
        shutil.copy(case / "input.dat", folder / f"I94.D20250314.S{number:06}")
    await ingest(data, bus, "I94", str(folder), unchanged=0.0, patience=0.0)
    dead_letters = await read(bus, Selection(system="I94"))
    assert len(dead_letters) > 30
    outcomes = [outcome for outcome, _ in await all_of(bus, data, Selection(system="I94"))]
    published = [
        dead_letter.reason for dead_letter, outcome in zip(dead_letters, outcomes, strict=True) if outcome != "refused"
    ]
    assert published == ["a record behind the trailer"], "a good detail in the wrong place"
    groups = group(dead_letters)
    assert sum(one.dead_letters for one in groups) == len(dead_letters)
    assert groups[0].dead_letters == max(one.dead_letters for one in groups)


@pytest.mark.law(3, planted="a replay that forgets the number of the record")
async def test_the_planted_bug_is_caught(data: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that forgets the record's number in its file gives other ids than a first reading."""
    sound = FixedFormat.reread

    def unsound(self: FixedFormat, raw: bytes, met: Met) -> Any:
        return (replace(read, number=1) if isinstance(read, Record) else read for read in sound(self, raw, met))

    monkeypatch.setattr(FixedFormat, "reread", unsound)
    with pytest.raises(AssertionError):
        await test_a_mended_record_gets_the_ids_of_a_first_reading(data, bus)


# --- at the command line -----------------------------------------------------------------------------------------


@pytest.fixture
async def filled(data: Path, bus: Bus) -> Path:
    packed = (HERE / "i94" / "cases" / "bad-packed-date" / "input.dat").read_bytes()
    await nights(data, bus, S000412=night([BAD, detail(DEPARTURE)]), S000413=packed)
    path = data / "claims.db"
    path.write_bytes(rows_of(insert([row(action_date="2025-02-30")])))
    await ingest(data, bus, "CLAIMS3", f"sqlite+aiosqlite:///{path}")
    await bus.close()
    return data


RIGHT = ("--confidential", "--why", "a test of the command")
"""The right to bytes of systems that may hold confidential records."""


def command(data: Path, *arguments: str, code: int = 0) -> str:
    words = ["--data", str(data), "dead-letters", *arguments, *RIGHT]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


def test_list_tells_groups_and_each(filled: Path) -> None:
    lines = command(filled, "list").splitlines()
    assert len(lines) == 4
    assert lines[-1] == "page 1 of 1; 3 dead letters, 3 pending"
    assert any("I94.nightly  MODE-CODE: 'Q' is in no code table" in line for line in lines)
    assert len(command(filled, "list", "--system", "I94").splitlines()) == 3
    each = command(filled, "list", "--each", "--batch", "I94.D20250314.S000413").splitlines()
    assert "record 2, byte 250" in each[0]
    assert "ADMITTED-UNTIL at byte 188" in each[0]
    second = command(filled, "list", "--each", "--per-page", "2", "--page", "2").splitlines()
    assert len(second) == 2
    assert second[-1] == "page 2 of 2; 3 dead letters, 3 pending"
    assert command(filled, "list", "--reason", "nothing like it") == "page 1 of 1; 0 dead letters, 0 pending\n"


def _id(data: Path, *choice: str) -> str:
    return command(data, "list", "--each", *choice).split()[0]


def test_show_puts_the_copybooks_fields_beside_the_bytes(filled: Path) -> None:
    text = command(filled, "show", _id(filled, "--batch", "I94.D20250314.S000413"))
    assert "place      record 2, byte 250" in text
    (marked,) = [line for line in text.splitlines() if line.startswith(">")]
    assert marked.startswith(">   189  ADMITTED-UNTIL")
    assert marked.endswith("20 25 0a 13 0c")
    assert "    35  FAMILY-NAME              GARCIA LOPEZ" in text
    hexed = command(filled, "show", _id(filled, "--system", "I94"), "--hex")
    assert "GARCIA LOPEZ" in hexed
    rowed = command(filled, "show", _id(filled, "--system", "CLAIMS3"))
    assert "action_date                  '2025-02-30'" in rowed


def test_show_asks_for_one_letter(filled: Path) -> None:
    assert "no dead letter ffffffff-0" in command(filled, "show", "ffffffff-0", code=2)
    assert "3 dead letters begin with" in command(filled, "show", "", code=2)


def test_replay_tells_first_and_does_it_when_told(filled: Path, tmp_path: Path) -> None:
    one = _id(filled, "--batch", "I94.D20250314.S000412")
    right = tmp_path / "right.dat"
    command(filled, "show", one, "--save", str(right))
    assert right.read_bytes() == BAD
    right.write_bytes(detail(ARRIVAL))
    assert "which dead letters?" in command(filled, "replay", code=2)
    assert "still refused: MODE-CODE: 'Q'" in command(filled, "replay", "--id", one, code=1)
    dry = command(filled, "replay", "--id", one[:8], "--with", str(right))
    assert "would publish 1 events" in dry
    assert "dry run, nothing was sent; --yes does it: 1 publish" in dry
    assert "pending" in command(filled, "list", "--each", "--batch", "I94.D20250314.S000412")
    assert "published 1 events" in command(filled, "replay", "--id", one, "--with", str(right), "--yes")
    assert "already replayed at 20" in command(filled, "replay", "--id", one, "--with", str(right), "--yes")
    assert "replayed  20" in command(filled, "list", "--each", "--batch", "I94.D20250314.S000412")
    assert "--with mends one dead letter, 3 are selected" in command(
        filled, "replay", "--reason", "a", "--with", str(right), code=2
    )
    assert "2 dead letters, 2 pending" in command(filled, "list", "--pending")


@pytest.fixture
async def hostile(data: Path, bus: Bus) -> Path:
    body = {
        "id": "a" * 36,
        "system": "X",
        "feed": "f",
        "batch": "\x1b[2J",
        "place": "line 2\n",
        "record": None,
        "reason": "\x1b]0;x\x07",
        "counted": True,
        "bytes": 5,
        "digest": "0" * 64,
        "raw": "G1syShs=",
        "spooled": None,
        "mapping_version": 1,
        "at": "2026-01-01T00:00:00+00:00",
    }
    producer = await bus.producer()
    await producer.send([Message(DEAD_LETTERS, b"X/f", orjson.dumps(body))])
    await bus.close()
    return data


@pytest.mark.parametrize("arguments", ["list", "list --each", "show aaa", "replay --id aaa"])
def test_nothing_that_a_terminal_obeys_is_shown(hostile: Path, arguments: str) -> None:
    assert "\x1b" not in command(hostile, *arguments.split(), code=int("replay" in arguments))
