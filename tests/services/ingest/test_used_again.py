"""A name or number of a sender used again for other content: read as usual, and said in log, receipt and status."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from toy_source import settings

from adapters.core import Header, Note, Origin, Record
from adapters.registry import systems
from bus.contract import Bus
from bus.embedded import EmbeddedBus
from schemas.operations import Overview
from schemas.topics import POSITIONS, RECEIPTS
from services.authority.guard import Guard
from services.dead_letters import Spool
from services.feeds import parse
from services.feeds.labels import MOST, compared
from services.feeds.status import feeds_of
from services.ingest import Source, feed_run, recorded, run
from services.ingest.tally import Limits, Tally
from services.logs import configure
from services.overview import problems_of

LEADTRAC = systems()["LEADTRAC"]
NUMBERED = {
    "APIS", "ATS", "BCI", "CBSA", "I94", "LEADTRAC", "NFTS", "SEVIS", "SHOWN", "TECS", "VSPTS",
}  # fmt: skip
"""Whose pages say that a number grows with each file, batch or message."""


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    yield opened
    await opened.close()


@pytest.fixture
def stream(logs: None) -> io.StringIO:
    """The log as JSON lines."""
    written = io.StringIO()
    configure("info", "json", written)
    return written


def drop(folder: Path, name: str, number: int, lead: str) -> None:
    """A file of one lead."""
    folder.mkdir(exist_ok=True)
    detail = (
        f"D|{lead}|N|O|S77001|ADIS|AD900117|GARCIA LOPEZ|MARIA|1987-05-23|F|ESP||123456789A1|XDA123456|ESP||"
        "2025-03-10|||ENRICH|SFR|2025-03-10T22:15:00-04:00"
    )
    path = folder / name
    path.write_text(f"H|1|{number}|2025-04-04T05:00:00Z\n{detail}\nT|{number}|1\n")
    os.utime(path, (time.time() - 3600, time.time() - 3600))


async def ingest(folder: Path, bus: Bus) -> None:
    """Read what is there, as one run of a host."""
    (feed,) = LEADTRAC.feeds
    source = Source(LEADTRAC, feed.configured({"unchanged": 0.0}), str(folder))
    (outcome,) = await run(settings(folder.parent), [source], once=True, bus=bus, clock=recorded)
    assert outcome.error is None


def warnings(stream: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, stream.getvalue().splitlines()) if line["event"] == "used again"]


async def first_and_again(tmp_path: Path, bus: Bus, how: str) -> None:
    """Two files, in a run each: the second under the name, the number, or both, of the first."""
    folder = tmp_path / "in"
    drop(folder, "LEADS.041", 41, "S77001")
    await ingest(folder, bus)
    drop(folder, "LEADS.042" if how == "number" else "LEADS.041", 42 if how == "name" else 41, "S77002")
    await ingest(folder, bus)


@pytest.mark.law(2, "a name or number used again for other content is read as usual, and said")
@pytest.mark.parametrize("how", ["name", "number", "both"])
async def test_it_is_read_and_said_once(tmp_path: Path, bus: Bus, how: str, stream: io.StringIO) -> None:
    await first_and_again(tmp_path, bus, how)
    (line,) = warnings(stream)
    batch = "LEADS.042" if how == "number" else "LEADS.041"
    assert (line["level"], line["system"], line["feed"], line["batch"]) == ("warning", "LEADTRAC", "leads", batch)
    assert ("SEQUENCE 41" in line["why"], "the name" in line["why"]) == (how != "name", how != "number")
    assert "S77002" not in stream.getvalue()
    receipts = [json.loads(each.value) async for each in bus.read(RECEIPTS) if each.value is not None]
    assert [each["batch"] for each in receipts if each["used_again"]] == [batch]
    checkpoints = {
        (each.key or b"").decode(): parse(each.value) async for each in bus.read(POSITIONS) if each.value is not None
    }
    assert checkpoints["LEADTRAC/leads"].counters.published == 2
    now = datetime.now(UTC)
    feeds = feeds_of(checkpoints, [], now)
    assert feeds[0].used_again == 1
    overview = Overview(
        at=now, feeds=feeds, correlators=(), lag=0, store=None, coverage=(), dead_letters=(), problems=()
    )
    (problem,) = [each for each in problems_of(overview) if "other content" in each]
    assert problem.startswith("LEADTRAC.leads: ")
    await ingest(tmp_path / "in", bus)
    assert len(warnings(stream)) == 1, "a run that finds nothing new says nothing"


@pytest.mark.law(2, planted="ingest that does not see a name or number used again")
async def test_ingest_that_does_not_look_is_seen(
    tmp_path: Path, bus: Bus, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_run, "compared", lambda known, _met: (known, []))
    with pytest.raises(ValueError, match="not enough values"):
        await test_it_is_read_and_said_once(tmp_path, bus, "both", stream)


async def test_others_are_not_told(tmp_path: Path, bus: Bus, stream: io.StringIO) -> None:
    folder = tmp_path / "in"
    for number in range(41, 45):
        drop(folder, f"LEADS.{number:03}", number, f"S{number:05}")
        await ingest(folder, bus)
    drop(folder, "LEADS.050", 44, "S00044")  # the same again under another name: told in its receipt
    await ingest(folder, bus)
    assert warnings(stream) == []


def test_labels_are_bounded_and_the_last_are_kept() -> None:
    known, again = compared({}, [(f"N {number}", "a") for number in range(MOST + 5)])
    assert (len(known), again) == (MOST, [])
    assert compared(known, [(f"N {MOST}", "b"), (f"N {MOST}", "b"), ("N 0", "b")])[1] == [f"N {MOST}"]
    assert compared(known, [(f"N {MOST}", "a")])[1] == []


def test_reads_that_come_a_second_time_are_hashed_once(tmp_path: Path) -> None:
    """A full disk has the same reads come again."""
    reads: list[Record | Note] = [Header("1", b"H", {"SEQUENCE": "7"}), Header("2", b"G", {"SEQUENCE": "8"})]

    def mapping(_read: Record | Note, _origin: Origin) -> Any:
        raise AssertionError

    def tally() -> Tally:
        limits = Limits(1.0, 10)
        made = Tally(
            Origin("LEADTRAC", "leads", "x", 1), mapping, recorded, Spool(tmp_path), limits, Guard.of(LEADTRAC)
        )
        made.numbered = ("SEQUENCE",)
        return made

    straight, again = tally(), tally()
    for each in (straight, again):
        for read in reads:
            each._number(read)
    before = again._snapshot()
    again._number(Record("3", b"rest", {}))
    again._restore(before)
    for each in (straight, again):
        each._number(Record("3", b"rest", {}))
    assert straight.labels == again.labels
    assert [label for label, _ in straight.labels] == ["SEQUENCE 7", "SEQUENCE 8"]


@pytest.mark.parametrize(("name", "feed"), [("APIS", "files"), ("ATS", "reservations")])
def test_an_interchange_is_known_by_its_sender_and_references(name: str, feed: str) -> None:
    """Under one reference of one sender another content is told, that of another sender or message is not."""
    form = systems()[name].feed(feed).format
    assert form is not None
    known = [labelled(name, feed, *words) for words in (("LH", 7, 1, "A"), ("LH", 7, 2, "B"), ("BA", 7, 1, "C"))]
    labels, again = compared({}, [label for some in known for label in some])
    assert again == []
    assert compared(labels, labelled(name, feed, "LH", 7, 1, "A"))[1] == []
    assert compared(labels, labelled(name, feed, "LH", 7, 1, "D"))[1] == ["interchange LH 7 message 1"]


def labelled(name: str, feed: str, sender: str, reference: int, message: int, text: str) -> list[tuple[str, str]]:
    """The labels of a batch with one message, whose heading says no more than that."""
    made = Tally(
        Origin(name, feed, "x", 1), lambda _read, _origin: None, recorded, Spool(Path("spool")), Limits(1.0, 10),
        Guard.of(systems()[name]),
    )  # fmt: skip
    made.numbered = systems()[name].feed(feed).numbered
    heading = {
        "APIS": f"UNH+{message}+PAXLST:D:12B:UN:IATA'BGM+745'RFF+TN:{text}'TDT+20+XA0123+++XA'LOC+125+LHR'"
        "DTM+189:2603011000:201'LOC+87+JFK'DTM+232:2603011800:201'",
        "ATS": f"UNH+{message}+PNRGOV:11:1:IA'MSG+:22'ORG+XA:{text}AA'"
        "TVL+010326:1000:010326:1800+LHR+JFK+XA+123'EQN+0'",
    }[name]
    begin, end = f"UNB+UNOA:4+{sender}+CBP+260301:0915+{reference}++APIS'", f"UNT+8+{message}'UNZ+1+{reference}'"
    interchange = begin + heading + end
    for read in systems()[name].feed(feed).offline(interchange.encode()):
        made._number(read)
    return made.labels


def test_systems_that_number_their_files_say_so() -> None:
    assert {name for name, system in systems().items() if any(feed.numbered for feed in system.feeds)} == NUMBERED
