"""IDENT: what its page says is what its files say, and what the cases cannot show."""

from __future__ import annotations

import re
import subprocess
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems.ident.build import ENROLMENT, ENTRY, EXIT, MERGE, encounter, message

from adapters.core import BadRecord, Met, Note, Record
from adapters.decode import Totals, decode_file
from adapters.registry import systems
from adapters.systems.ident.adapter import CODES
from adapters.transports.http_push import HttpPush
from services.cli.children import VISABUS

IDENT = systems()["IDENT"]
FORMAT = IDENT.feeds[0].format
README = files("adapters.systems.ident").joinpath("README.md").read_text()
NAMES = st.text("ABCXYZÑéö李' -.", min_size=1, max_size=60).map(lambda text: text.strip() or "X")


def test_the_page_prints_the_code_tables() -> None:
    ports = re.findall(r"^\| `([A-Z]{3})` \| (.+) \| (.+/.+) \|$", README, re.MULTILINE)
    assert {code: [name, zone] for code, name, zone in ports} == CODES["ports"]
    modes = re.findall(r"^\| `([A-Z])` \| (\w+) \|$", README, re.MULTILINE)
    assert dict(modes) == CODES["modes"]


def test_the_page_names_every_element_of_the_schema() -> None:
    own, shared = files("adapters.systems.ident"), files("adapters.formats")
    for at in (own / "encounters.xsd", shared / "niem-core.xsd", own / "immigration.xsd"):
        schema = at.read_text()
        for element in re.findall(r'element name="(\w+)"', schema):
            assert element in README, element


def test_the_entries_of_an_answer_have_the_encounters_id() -> None:
    push = IDENT.feeds[0].transport
    assert isinstance(push, HttpPush)
    reads = [result.read for result in decode_file(IDENT, message(encounter(), encounter(id="E9")))]
    assert [push.key(read) for read in reads if isinstance(read, Record)] == [EXIT["id"], None]


def test_what_the_mapping_refuses_names_the_encounter() -> None:
    results = list(decode_file(IDENT, message(encounter(port="QQQ"), encounter(ENTRY, mode="Q"))))
    assert [result.refused.record for result in results if result.refused] == [EXIT["id"], ENTRY["id"]]


def test_a_message_that_is_too_large_is_refused_in_pieces_that_are_its_bytes() -> None:
    data = message(encounter()) + b" " * 9_000_000
    assert FORMAT is not None
    reads = list(FORMAT.read(BytesIO(data)))
    assert all(isinstance(read, BadRecord) for read in reads)
    assert b"".join(read.raw for read in reads) == data


def test_a_message_without_encounters_is_no_mistake() -> None:
    (result,) = decode_file(IDENT, message())
    assert isinstance(result.read, Note)
    assert (result.events, result.refused) == ((), None)


def test_a_message_that_is_nested_without_end_is_refused() -> None:
    deep = message("<ident:Encounter>" * 50_000 + "</ident:Encounter>" * 50_000)
    (result,) = decode_file(IDENT, deep)
    assert result.refused is not None
    assert result.refused.reason.startswith("not well-formed")


def test_one_record_is_read_again_as_it_was() -> None:
    assert FORMAT is not None
    once = list(FORMAT.read(BytesIO(message(encounter(), encounter(ENTRY), encounter(MERGE)))))
    for read in once[1:]:
        assert isinstance(read, Record)
        before, again = FORMAT.reread(read.raw, Met(read.place, once[0].raw))  # type: ignore[attr-defined]
        assert isinstance(before, Note)
        assert isinstance(again, Record)
        assert again.fields == read.fields


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_odd_encounters_are_read(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([EXIT, ENTRY, ENROLMENT, MERGE]))
    day = data.draw(st.dates())
    early = day.replace(year=max(day.year, 2)) if day.year < 9998 else day.replace(year=9997, day=1)
    text = encounter(
        base,
        version=data.draw(st.integers(1, 2**31 - 1)),
        action=data.draw(st.sampled_from("NCD")),
        recorded="9998-12-31T00:00:00Z",
        local=early.isoformat() + data.draw(st.sampled_from(["", "T00:00:00", "T23:59:59", "T02:30:00"])),
        port=data.draw(st.sampled_from(sorted(CODES["ports"]))),
        names=data.draw(st.lists(st.tuples(NAMES, st.none() | NAMES), max_size=5)),
        birth=data.draw(st.sampled_from([None, "1987", "1987-12", "1904-02-29"])),
        sex=data.draw(st.sampled_from([None, "F", "M", "X"])),
        citizenship=data.draw(st.sampled_from([(), ("D",), ("GBN", "XXA", "UNO")])),
        carrier=data.draw(st.sampled_from([None, "3U", "RCL"])),
        operator=data.draw(st.none() | st.just("0")),
    )
    totals = Totals()
    for result in decode_file(IDENT, message(text)):
        totals.add(result)
        assert result.refused is None, result.refused
    assert totals.published == 1


@pytest.mark.parametrize("value", ["O'BRIEN", "a 'quoted' is not b"])
def test_reasons_do_not_repeat_what_stands_in_the_message(value: str) -> None:
    bad = message(encounter(sex=value), encounter(recorded=value), encounter(match=value))
    for result in decode_file(IDENT, bad):
        assert result.refused is None or value not in result.refused.reason


def test_a_message_is_decoded_at_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    file.write_bytes(message(encounter(), encounter(ENTRY, match="NOT-MATCHED"), encounter(MERGE, fin="X")))
    done = subprocess.run([VISABUS, "decode", "IDENT", file], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert '"evidence":"biometric"' in done.stdout
    assert "3 read = 1 readable, 1 refused, 1 left out by not-matched; events: 1 departure" in done.stderr
