"""Without the right, what the law keeps confidential does not exist: dead letters and traces, byte for byte."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import structlog
from toy_source import once, settings, toy
from typer.testing import CliRunner

from adapters.core import BadRecord, Origin, System
from adapters.registry import systems
from bus.embedded import EmbeddedBus
from bus.events import message_of
from schemas.events import AnyEvent, Fact, Handling, Operation, Revision, Status, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment
from services.audit import keys_of, open_reading
from services.cli import app
from services.correlator import process
from services.dead_letters import Spool, dead_letter
from services.redaction import may_be_marked
from services.wiring import topics

DAY = datetime(2025, 3, 1, tzinfo=UTC)
ALL = ("--confidential", "--why", "an audit")
SECRET = "A099000117"
DIGEST = digest(b"")
Marks = tuple[Handling, ...]
VICTIM: Marks = (Handling.PROTECTED,)


def identity(system: str, record: str, number: int) -> UUID:
    """The id of a version's event."""
    return UUID(str(event_id(system, record, "", number, DIGEST, 1)))


def status(record: str, number: int, *, marks: Marks = (), system: str = "TOY", retract: bool = False) -> Status:
    """A version of a record."""
    return Status(
        id=identity(system, record, number),
        system=system,
        record=record,
        place="line 1",
        part="",
        revision=Revision(number=number, digest=DIGEST),
        mapping_version=1,
        batch="a.txt",
        published_at=DAY + timedelta(days=1, minutes=number),
        operation=Operation.RETRACT if retract else Operation.ASSERT,
        handling=marks,
        occurred_at=Moment.instant(DAY),
        subject=Subject(identifiers=(Identifier(scheme=Scheme.FIN, value=f"{int(record):09d}", issuer="OBIM"),)),
        fact=Fact.ENCOUNTER,
    )


class World:
    """An installation of a toy and of a system that the law marks, driven by the command line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.settings = settings(path)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output, errors of a command."""
        structlog.reset_defaults()
        done = CliRunner().invoke(app, ["--data", str(self.settings.data_dir), *arguments], env={"COLUMNS": "300"})
        return done.exit_code, done.stdout, done.stderr

    def fill(self, *, hidden: bool, correlated: bool) -> None:
        asyncio.run(self._fill(hidden=hidden, correlated=correlated))

    async def _fill(self, *, hidden: bool, correlated: bool) -> None:
        bus = await EmbeddedBus.open(self.settings.data_dir / "bus.db")
        await bus.declare(topics())
        (self.path / "a.txt").write_text("good 1\n")
        await once(self.path, bus)
        spool = Spool(self.settings.data_dir / "spool")
        letters = [("TOY", "1", f"'{SECRET}' is wrong")]
        events: list[AnyEvent] = []
        if hidden:
            # open before, marked later; marked first, taken back openly; marked always
            events += [status("2", 1), status("2", 2, marks=VICTIM)]
            events += [status("3", 1, marks=VICTIM), status("3", 2, retract=True)]
            events += [status("4", 1, marks=VICTIM), status("5", 1, marks=(Handling.ASYLUM,), system="ZLAW")]
            events += [status("8", 1, marks=VICTIM, system="ZLAW")]  # no correlator takes it without its system's mark
            letters += [("TOY", each, "refused") for each in "234"] + [
                ("ZLAW", "5", "refused"),
                ("ZLAW", "6", "refused"),
            ]
        producer = await bus.producer()
        await producer.send([message_of(event) for event in events])
        for system, record, reason in letters:
            bad = BadRecord(reason, place="line 7", raw=f"{record} {SECRET}".encode(), record=record)
            await producer.send([dead_letter(bad, Origin(system, "lines", f"of {record}", 1), spool)])
        await producer.close()
        await bus.close()
        if correlated:
            await process.run(self.settings, once=True, stop=asyncio.Event())

    def publish(self, event: AnyEvent) -> None:
        """Send an event."""

        async def send() -> None:
            bus = await EmbeddedBus.open(self.settings.data_dir / "bus.db")
            producer = await bus.producer()
            await producer.send([message_of(event)])
            await producer.close()
            await bus.close()

        asyncio.run(send())

    def verbs(self) -> list[str]:
        async def read() -> list[str]:
            async with open_reading(self.settings.audit_url, keys_of(self.settings).seal) as log:
                return [row.verb async for row in log.rows()]

        return asyncio.run(read())


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, System]:
    system = toy(tmp_path).system
    result = {"TOY": system, "ZLAW": replace(system, name="ZLAW", marks=(Handling.ASYLUM,))}
    monkeypatch.setattr("adapters.registry.systems", lambda: result)
    return result


ASKED = (
    ("dead-letters", "list"),
    ("dead-letters", "list", "--each", "--system", "ZLAW"),
    ("dead-letters", "list", "--each", "--system", "TOY", "--batch", "of 2"),
    ("dead-letters", "replay", "--system", "ZLAW"),
    ("dead-letters", "replay", "--batch", "of 4"),
    *(("trace", "TOY", record) for record in "234"),
    *(("trace", "ZLAW", record) for record in "56"),
    *(("trace", str(identity("TOY", record, number))) for record, number in (("2", 1), ("2", 2), ("3", 1), ("3", 2))),
    ("trace", str(identity("ZLAW", "5", 1))),
    *(("trace", f"fin/OBIM/00000000{record}") for record in "2345"),
    *(("trace", f"of {record}") for record in "23456"),
)


def differences(whole: World, opened: World) -> list[tuple[str, ...]]:
    """The commands of which a plain caller gets another answer where there are confidential records."""
    result = []
    for arguments in ASKED:
        got, expected = whole.run(*arguments), opened.run(*arguments)
        if arguments == ("dead-letters", "list"):  # when it was refused, and the letter's id, are of each world
            got, expected = (_counts(each) for each in (got, expected))
        if got != expected or SECRET in "".join(map(str, got)):
            result.append(arguments)
    return result


def _counts(got: tuple[int, str, str]) -> tuple[int, str, str]:
    return got[0], re.sub(r"\d{4}-\S+", "", got[1]), got[2]


@pytest.mark.parametrize("correlated", [True, False])
@pytest.mark.law(8, "without the right neither dead letters nor traces know of what is confidential")
def test_without_the_right_nothing_is_known(tmp_path: Path, known: dict[str, System], correlated: bool) -> None:
    whole, opened = World(tmp_path / "whole"), World(tmp_path / "opened")
    whole.fill(hidden=True, correlated=correlated)
    opened.fill(hidden=False, correlated=correlated)
    assert not differences(whole, opened)
    for arguments in ASKED:
        if arguments[:1] == ("trace",) and (correlated or "fin/" not in arguments[1]):
            code, output, _ = whole.run(*arguments, *ALL)
            assert code == 0, arguments
            assert output, arguments
    each = whole.run("dead-letters", "list", "--each", *ALL)[1].splitlines()
    assert len(each) == (7 if correlated else 6)
    for line in each:
        identity = line.split()[0]
        shown = whole.run("dead-letters", "show", identity)
        if "of 1 " in line:
            assert shown[0] == 0
            assert "need --confidential --why" in shown[2]
            assert SECRET not in "".join(map(str, shown))
        else:
            unknown = str(uuid4())
            got, expected = shown, whole.run("dead-letters", "show", unknown)
            assert (got[0], got[2].replace(identity, unknown)) == (expected[0], expected[2])
        assert ("BUS." in line) or SECRET in whole.run("dead-letters", "show", identity, *ALL)[1]
    assert {"trace confidential:read", "dead-letters show confidential:read"} <= set(whole.verbs())


@pytest.mark.law(8, planted="a veil that knows the systems marked by law, and no marks of records")
def test_a_redaction_with_holes_is_seen(
    tmp_path: Path, known: dict[str, System], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, opened = World(tmp_path / "whole"), World(tmp_path / "opened")
    whole.fill(hidden=True, correlated=True)
    opened.fill(hidden=False, correlated=True)
    monkeypatch.setattr("services.redaction.is_hidden", lambda versions: False)
    assert {("trace", "TOY", "2"), ("dead-letters", "list")} <= set(differences(whole, opened))


def test_an_open_record_is_told_and_values_find_nothing(tmp_path: Path, known: dict[str, System]) -> None:
    world = World(tmp_path / "whole")
    world.fill(hidden=True, correlated=True)
    steps = json.loads(world.run("trace", "TOY", "1", "--json")[1])["records"][0]["steps"]
    assert {"published", "committed", "refused", "person"} <= {step["kind"] for step in steps}
    assert world.run("dead-letters", "list", "--reason", SECRET)[1] == ""
    assert "is wrong" in world.run("dead-letters", "list", "--reason", "is wrong")[1]
    assert SECRET in world.run("dead-letters", "list", "--reason", SECRET, *ALL)[1]


@pytest.mark.law(8, "there is no receipt of a system marked by law, and none names a hidden record")
def test_receipts_of_a_system_marked_by_law_need_the_right(tmp_path: Path, known: dict[str, System]) -> None:
    world = World(tmp_path / "whole")
    world.fill(hidden=True, correlated=False)
    asked = (("list", "--system", "TOY"), ("show", "a.txt"), ("export",))
    for arguments in asked:
        assert "a.txt" in world.run("receipts", *arguments)[1]
    assert "a.txt" in world.run("receipts", "list", "--system", "TOY", "--record", "1")[1]
    known["TOY"] = replace(known["TOY"], marks=(Handling.ASYLUM,))
    for arguments in (*asked, ("list", "--system", "TOY", "--record", "1")):
        plain = world.run("receipts", *arguments)
        assert "a.txt" not in plain[1]
        assert "a.txt" in world.run("receipts", *arguments, *ALL)[1]
    assert world.run("receipts", "show", "a.txt")[0] == world.run("receipts", "show", "b.txt")[0] == 2
    assert "receipts list confidential:read" in world.verbs()


@pytest.mark.law(8, planted="a list of receipts that leaves no system out")
def test_receipts_that_leave_nothing_out_are_seen(
    tmp_path: Path, known: dict[str, System], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.redaction.marked_by_law", lambda system: False)
    with pytest.raises(AssertionError, match=r"a\.txt"):
        test_receipts_of_a_system_marked_by_law_need_the_right(tmp_path, known)


def test_a_receipt_is_not_looked_up_by_a_hidden_record(tmp_path: Path, known: dict[str, System]) -> None:
    world = World(tmp_path / "whole")
    world.fill(hidden=False, correlated=False)
    about = ("receipts", "list", "--system", "TOY", "--record", "1")
    assert "a.txt" in world.run(*about)[1]
    world.publish(status("1", 2, marks=VICTIM))
    assert "a.txt" not in world.run(*about)[1]
    assert "a.txt" in world.run(*about, *ALL)[1]


def test_the_right_is_asked_for_with_a_reason(tmp_path: Path, known: dict[str, System]) -> None:
    world = World(tmp_path / "whole")
    world.fill(hidden=True, correlated=False)
    for arguments in (
        ("dead-letters", "list"),
        ("dead-letters", "show", "0000"),
        ("dead-letters", "replay", "--system", "TOY"),
        ("trace", "TOY", "2"),
    ):
        code, output, errors = world.run(*arguments, "--confidential")
        assert (code, output) == (2, "")
        assert "--confidential needs --why" in errors


def test_only_systems_whose_records_are_never_marked_have_open_bytes() -> None:
    assert {name for name, system in systems().items() if not may_be_marked(system)} == {"CBSA", "SHOWN", "TVS"}
    assert may_be_marked(None)


def counted(path: Path, *lines: str) -> dict[tuple[str, ...], str]:
    """What who lacks the right is told of a batch with these lines, times left out."""
    world = World(path)

    async def read() -> None:
        bus = await EmbeddedBus.open(world.settings.data_dir / "bus.db")
        await bus.declare(topics())
        (path / "a.txt").write_text("".join(f"{line}\n" for line in lines))
        await once(path, bus)
        await bus.close()

    asyncio.run(read())
    asked = [("list",), ("list", "--json"), ("list", "--refused"), ("show", "a.txt"), ("export",)]
    ways = [("receipts", *words) for words in asked] + [("trace", "a.txt", "--json"), ("trace", "TOY", "1", "--json")]
    return {words: re.sub(r"20\d\d-[\dT:.+Z-]+", "", "".join(map(str, world.run(*words)))) for words in ways}


@pytest.mark.law(8, "what a batch comes to is told by system: it is that of a batch without the hidden records")
def test_counts_of_a_batch_do_not_tell_of_hidden_records(tmp_path: Path, known: dict[str, System]) -> None:
    mixed, plain = counted(tmp_path / "mixed", "good 1", "good 2", "skip 3"), counted(tmp_path / "plain", "good 1")
    assert mixed == plain
    assert all("a.txt" in text for words, text in mixed.items() if "--refused" not in words)


@pytest.mark.law(8, planted="receipts that tell counts of systems whose records may be marked")
def test_counts_that_tell_are_seen(tmp_path: Path, known: dict[str, System], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.redaction.covered_receipt", lambda receipt, systems: receipt)
    mixed, plain = counted(tmp_path / "mixed", "good 1", "good 2", "skip 3"), counted(tmp_path / "plain", "good 1")
    assert {words for words in mixed if mixed[words] != plain[words]} == {
        ("receipts", "list"),
        ("receipts", "list", "--json"),
        ("receipts", "show", "a.txt"),
        ("receipts", "export"),
    }
