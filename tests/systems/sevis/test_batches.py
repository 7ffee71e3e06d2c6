"""SEVIS: each field of its interface, odd documents and archives, and little memory for large ones."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import pytest
from contracts.adapters.test_adapters import Endless
from contracts.adapters.test_fields import plain
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from systems.contract import judge
from systems.sevis.build import (
    NAMESPACE,
    UPDATES,
    archive,
    bad,
    batch,
    create,
    declared,
    header,
    odd,
    several,
    update,
)

from adapters.core import BadRecord, Header, Record
from adapters.decode import Totals, decode_file
from adapters.registry import systems
from adapters.systems.sevis.adapter import CODES, FORMAT, MEANINGS
from schemas.events import Status

SEVIS = systems()["SEVIS"]
PAGE = files("adapters.systems.sevis").joinpath("README.md").read_text()
README = PAGE.partition("## The public documents")[0]
TAGS = {"prefix": NAMESPACE}


class Outcome(NamedTuple):
    """A field as a table of the README has it."""

    path: str
    duty: str


def reported() -> list[Outcome]:
    """The lines of all field tables."""
    entries = []
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[1] in ("M", "O", "I"):
            entries.append(Outcome(cells[0], cells[1]))
    return entries


def said(raw: bytes) -> list[bytes]:
    """Contents of events without what is derived from all of them, refusals, and what was left out."""
    entries = []
    for result in decode_file(SEVIS, raw, name="b"):
        entries += [plain(event) for event in result.events]
        if result.refused is not None:
            entries.append(result.refused.reason.encode())
        if result.filtered is not None:
            entries.append(result.filtered.encode())
    return entries


# --- every field -------------------------------------------------------------------------------------------------

OTHER: dict[str, str] = {
    "BatchID": "X", "OrgID": "X", "BatchSequence": "413", "CreatedAt": "2025-03-15T04:30:01Z", "RecordCount": "9",
    "Since": "2025-03-14T04:00:01Z", "Through": "2025-03-15T04:00:01Z", "sevisID": "N0012345679", "requestID": "A9",
    "recordAction": "D", "userID": "dso2", "printForm": "false", "ResultCode": "S0001", "GivenName": "Ana",
    "ProcessedAt": "2025-03-14T18:02:12Z", "ErrorMessage": "X", "FamilyName": "García", "MiddleName": "", "Suffix": "",
    "PreferredName": "", "BirthDate": "2003-05", "Gender": "X", "BirthCountryCode": "PRT", "Email": "",
    "CitizenshipCountryCode": "PRT", "PassportNumber": "PAA123457", "PassportIssuingCountry": "PRT",
    "I94Number": "123456789A2", "DateOfEntry": "", "IssueReason": "C", "IssueDate": "2025-03-15",
    "ProgramStartDate": "2021-08-21", "ProgramEndDate": "2026-01-01", "SchoolCode": "", "EducationLevelCode": "06",
    "SubjectCode": "", "Remarks": "other", "EffectiveDate": "2025-03-13", "StartDate": "2025-06-02",
    "EndDate": "2026-05-30", "FullPartTimeIndicator": "02", "EmployerName": "", "Until": "2025-10-01",
    "PetitionReceipt": "", "Reason": "NO-SHOW", "Kind": "ADDRESS",
}  # fmt: skip
PERIODS = (
    "Registration",
    "ShortenProgram",
    "DeferProgram",
    "EducationLevel",
    "ProgramChange",
    "Transfer",
    "Reactivate",
)
WORKS = ("CPTEmployment", "OffCampusEmployment")


def document(path: str) -> str:
    """One that has the field."""
    first = path.split("/")[0]
    whole = first == "PersonalInfo" and path.split("/")[1] in ("EffectiveDate", "Person", "TravelInfo", "Remarks")
    return batch([update(first)] if whole or (first in UPDATES and first != "PersonalInfo") else [create()])


def changed(path: str, text: str) -> str:
    """The document with another value there; a group is left out."""
    root = etree.fromstring(text.encode())
    if path.startswith("@"):
        root[1].set(path[1:], {"visaType": "M1"}.get(path[1:]) or OTHER[path[1:]])
        return etree.tostring(root, encoding="unicode")
    steps = path.split("/")
    if steps[0] in UPDATES or steps[0] in ("ProgramInfo", "TravelInfo", "Result", "PersonalInfo", "Remarks"):
        places = [root[1]]
    else:
        places = [root[0]]
    (value,) = places[0].iterfind("/".join(f"{{{NAMESPACE}}}{step}" for step in steps))
    if len(value):
        cast(etree._Element, value.getparent()).remove(value)
    else:
        assert (value.text or "") != OTHER[steps[-1]]
        value.text = OTHER[steps[-1]]
    return etree.tostring(root, encoding="unicode")


ALIKE = [
    Outcome(f"{name}/{each.path.split('/')[1]}", each.duty)
    for pattern, names in (("ProgramExtension/", PERIODS), ("OPTEmployment/", WORKS))
    for each in reported()
    if each.path.startswith(pattern)
    for name in names
]
PERSONAL = [
    Outcome(f"PersonalInfo/{each.path.replace('PersonalInfo/', 'Person/')}", each.duty)
    for each in reported()
    if re.match(r"TravelInfo/|PersonalInfo/(?!Effective|Person$|TravelInfo|Remarks)", each.path)
]


@pytest.mark.parametrize("field", [*reported(), *ALIKE, *PERSONAL], ids=lambda field: field.path)
def test_every_field_changes_an_event_or_is_ignored(field: Outcome) -> None:
    before = document(field.path)
    after = changed(field.path, before)
    assert before != after
    assert said(before.encode())
    assert (said(before.encode()) == said(after.encode())) == (field.duty == "I"), (before, after)


def test_the_readme_has_every_element_of_the_schema_and_no_other() -> None:
    schema = etree.fromstring(files("adapters.systems.sevis").joinpath("batch.xsd").read_bytes())
    names = {str(each.get("name")) for each in schema.iter("{*}element", "{*}attribute") if each.get("name")}
    paths = {each.path for each in reported()}
    known = {step.lstrip("@") for path in paths for step in path.split("/")}
    listed = {"SEVISBatch", "BatchHeader", *FORMAT.records, *UPDATES, "AcademicTraining", "Person"}
    assert names == (known | listed)
    assert {*MEANINGS, "Administrative"} == {*UPDATES, "AcademicTraining", "ProgramInfo"}


def test_the_tables_of_the_readme_are_those_of_the_adapter() -> None:
    codes = re.findall(r"^\| `([A-Z-]+)` \| [a-z, ]+ \| `([a-z-]+)` \|$", README, re.M)
    assert dict(codes) == CODES["terminations"]
    rows = re.findall(r"^\| ([A-Z]\w+)[^|]*\| (\w+) \| `([a-z-]+)` \| (\w+) \| (\w+) \| `([a-z-]+)`", README, re.M)
    assert len(rows) == len(MEANINGS)
    for name, fact, part, since, until, reason in rows:
        meaning = MEANINGS["ProgramInfo" if name.startswith("Create") else name]
        assert (fact, part, since) == (meaning["fact"], meaning["part"], meaning["since"])
        assert (until, reason) == (meaning.get("until", "none"), meaning.get("reason", "violation"))


def test_the_schema_knows_the_reasons_of_the_adapter() -> None:
    text = files("adapters.systems.sevis").joinpath("batch.xsd").read_text()
    value = set(re.findall(r'value="([A-Z-]{5,})"', text)) - set("ADDRESS FINANCE REMARK REPRINT COURSE-LOAD".split())
    assert value == set(CODES["terminations"])


def test_the_example_of_the_readme_is_right() -> None:
    (example,) = re.findall(r"```xml\n(.*?)```", README, re.DOTALL)
    FORMAT.schema.assertValid(etree.fromstring(example))
    results = list(decode_file(SEVIS, example.encode()))
    assert [len(result.events) for result in results] == [0, 1, 1, 1]


@pytest.mark.parametrize("name", list(odd()))
def test_documents_that_are_read_are_valid_as_a_whole(name: str) -> None:
    """Checked record by record or at once: the same."""
    FORMAT.schema.assertValid(etree.fromstring(odd()[name]))
    assert all(result.refused is None for result in decode_file(SEVIS, odd()[name]))


# --- any document, cut anywhere, in any pieces -------------------------------------------------------------------


class Pieces:
    """A stream that gives little at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._stream, self._size = BytesIO(data), size

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(self._size)


def reads(data: bytes, size: int = 2**16) -> list[tuple[str, str, bytes]]:
    """Kind, place or reason, and bytes of each read."""
    stream = cast(BinaryIO, Pieces(data, size))
    return [
        (type(read).__name__, read.reason if isinstance(read, BadRecord) else read.place, read.raw)
        for read in FORMAT.read(stream)
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("name", ["comments.xml", "utf-16-little.xml", "utf-8-mark.xml", "wrong-behind-a-record.xml"])
def test_the_pieces_that_a_document_comes_in_do_not_matter(name: str, size: int) -> None:
    data = (odd() | bad())[name]
    assert reads(data, size) == reads(data)


@pytest.mark.law(2, "XML cut at any byte")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_document_cut_anywhere_keeps_what_stands_before(encoding: str) -> None:
    """A record stands once its end tag is there; every byte is in one read; nobody vouches for the rest."""
    data = declared(batch([create(), update("Complete")], between="<!-- x -->"), encoding)
    whole = [record for kind, _, record in reads(data) if kind == "Record"]
    ends = [data.index(record.strip()) + len(record.strip()) for record in whole]
    closing = "</SEVISBatch>".encode("utf-16-le" if encoding == "utf-16" else encoding)
    closed = data.index(closing) + len(closing)
    for at in range(len(data)):
        value = reads(data[:at])
        assert b"".join(raw for _, _, raw in value) == data[:at]
        assert sum(kind == "Record" for kind, _, _ in value) == sum(end <= at for end in ends), at
        assert at >= closed or value[-1][0] == "BadRecord", at


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=39
)
_NAME = _TEXT.filter(lambda text: 0 < len(" ".join(text.split())) == len(text))
_LATER = st.dates(min_value=date(2025, 3, 14)).map(lambda day: day.isoformat())
_DAY = st.dates().map(lambda day: day.isoformat())


@st.composite
def odd_batches(draw: st.DrawFn) -> tuple[bytes, int]:
    """Batches with what is rare and right."""
    records = []
    for number in range(draw(st.integers(0, 4))):
        ids = {
            "sevisID": f"N{draw(st.integers(0, 10**10 - 1)):010}",
            "requestID": f"{number}-{draw(st.sampled_from(['Z', 'a0', '-', 'X' * 16]))}",
            "recordAction": draw(st.sampled_from("NCD")),
            "userID": draw(st.none() | st.just("")),
            "prefix": draw(st.sampled_from(["", "p:"])),
        }
        if draw(st.booleans()):
            who = {"FamilyName": draw(_NAME), "GivenName": draw(st.none() | _TEXT), "BirthDate": draw(st.none() | _DAY)}
            records.append(create(person=who, program={"ProgramEndDate": draw(_LATER)}, **ids))
        else:
            what = draw(st.sampled_from([name for name in MEANINGS if name in UPDATES]))
            records.append(update(what, **ids))
    text = batch(records, between=draw(st.sampled_from(["", "\n", "<!-- -->", " <?x?>\t"])))
    text = text.replace("xmlns=", f"xmlns:p='{NAMESPACE}' xmlns=", 1)
    encoding = draw(st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
    return text.encode(encoding), len(records)


@settings(max_examples=150, deadline=None)
@given(odd_batches(), st.booleans())
def test_odd_batches_are_read_to_the_last_record(drawn: tuple[bytes, int], packed: bool) -> None:
    raw, count = drawn
    totals = Totals()
    for result in decode_file(SEVIS, archive({"b.xml": raw}) if packed else raw):
        totals.add(result)
        assert result.refused is None, result.refused
    assert (totals.read, totals.published, totals.events["coverage"]) == (count, count, 1)


@pytest.mark.law(2, "zip archives with wrong bytes")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_archive_gives_events_or_refusals(data: st.DataObject) -> None:
    """What zipfile raises for bytes that are wrong in a few places is caught, all of it."""
    raw = bytearray(
        archive({"a.xml": batch(several(1)).encode(), "b.xml": b"<x/>"}, data.draw(st.sampled_from([0, 8])))
    )
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(2, len(raw) - 1) | st.integers(len(raw) - 160, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    judge(list(decode_file(SEVIS, bytes(raw))))


# --- what is refused, and how it is told -------------------------------------------------------------------------


def test_reasons_tell_the_field_and_not_the_value() -> None:
    secret = "Zebedee"
    documents = [
        create(person={"FamilyName": secret * 12}),
        create(sevisID=secret),
        create(result={"ProcessedAt": secret}),
    ]
    for document in documents:
        (refused,) = [each.refused for each in decode_file(SEVIS, batch([document]).encode()) if each.refused]
        assert secret not in refused.reason
        assert refused.place == "line 3"
    for document in (
        create(person={"BirthDate": secret}),
        create(person={"Gender": secret}),
        create(travel={"I94Number": f"is not {secret}'s"}),
    ):
        (lost,) = [one for each in decode_file(SEVIS, batch([document]).encode()) for one in each.lost]
        assert secret not in lost.reason


def test_the_place_names_the_line_of_the_record_and_where_in_it() -> None:
    data = batch([create(result={"ResultCode": "W"}).replace("><", ">\n<")]).encode()
    (refused,) = [each.refused for each in decode_file(SEVIS, data) if each.refused]
    line = data.splitlines().index(b"<ResultCode>W</ResultCode>") + 1
    assert refused.place == f"line 3, wrong in line {line}"
    assert refused.reason == "ResultCode: it is not accepted by the pattern 'S[0-9]{4}'."


def test_what_a_document_refers_to_is_never_read(tmp_path: Path) -> None:
    """Not by an entity, a type declaration or a schema's location; the file is there and would be found."""
    secret = tmp_path / "secret"
    secret.write_text("Zebedee")
    attacks = [
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]>' + batch([create(person={"FamilyName": "&x;"})]),
        f'<!DOCTYPE a SYSTEM "{secret.as_uri()}">' + batch([create()]),
        batch([create()]).replace("xmlns=", 'xmlns:i="http://www.w3.org/2001/XInclude" xmlns=', 1).replace(
            "<Remarks>", f'<i:include href="{secret.as_uri()}" parse="text"/><Remarks>'
        ),
    ]  # fmt: skip
    for attack in attacks:
        for result in decode_file(SEVIS, attack.encode()):
            assert not result.events
            assert result.refused is None or "Zebedee" not in result.refused.reason


def test_a_record_that_does_not_end_is_not_waited_for() -> None:
    small = replace(FORMAT, longest=2_000)
    data = batch([update("Complete"), create(person={"FamilyName": "A" * 3_000}), update("Complete")]).encode()
    entries = list(small.read(cast(BinaryIO, Pieces(data, 500))))
    assert [type(read) for read in entries[:2]] == [Header, Record]
    assert all(isinstance(read, BadRecord) and len(read.raw) <= 2_000 for read in entries[2:])
    assert "more than 2000 bytes without the end of a record" in cast(BadRecord, entries[2]).reason
    assert b"".join(read.raw for read in entries) == data


@pytest.mark.law(8, "an archive vouches whole or not at all")
def test_one_refused_member_spoils_what_the_file_vouches_for() -> None:
    good = batch(several(1)).encode()
    spoilt = batch([update("Complete", colour="red")], BatchSequence="413").encode()
    for members in ({"a": good, "b": spoilt}, {"b": spoilt, "a": good}, {"a": good, "z": b"PK\3\4"}):
        kinds = [event.kind for result in decode_file(SEVIS, archive(members)) for event in result.events]
        assert kinds == ["status"]


def test_a_schema_serves_many_threads() -> None:
    """A batch is read on by whichever thread is free, several batches at a time."""
    documents = [data for name, data in (odd() | bad()).items()] * 2
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(said, documents)) == list(map(said, documents))


@pytest.mark.law(2, planted="an interface's field that the adapter forgets")
def test_a_planted_bug_is_caught() -> None:
    """A walk that would not see that a field is lost: planted, and seen."""
    before = document("ProgramExtension/ProgramEndDate").encode()
    (first, *_) = [event for result in decode_file(SEVIS, before) for event in result.events]
    assert isinstance(first, Status)
    blind = first.model_copy(update={"until": None})
    assert plain(blind) != plain(first)
    assert said(before) != said(changed("ProgramExtension/EffectiveDate", before.decode()).encode())


# --- bounded memory ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [False, True])
@pytest.mark.slow
def test_a_document_of_a_hundred_megabytes_is_read_in_little_memory(*, garbage: bool) -> None:
    one = (b"<Wrong>" + b"x" * 16_000 + b"</Wrong>") if garbage else create().encode().replace(
        b"<Remarks></Remarks>", b"<Remarks>" + b"x" * 1000 + b"</Remarks>" + b"<!--" + b"y" * 14_000 + b"-->"
    )  # fmt: skip
    count = 100_000_000 // len(one)

    def pieces() -> Iterator[bytes]:
        yield f'<SEVISBatch xmlns="{NAMESPACE}">{header(count)}'.encode()
        for _ in range(count):
            yield one
        yield b"</SEVISBatch>"

    tracemalloc.start()
    try:
        kinds = [0, 0]
        for read in FORMAT.read(cast(BinaryIO, Endless(pieces()))):
            kinds[isinstance(read, BadRecord)] += 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kinds[garbage] >= count
    assert peak < 2_000_000, f"{peak} bytes for a document of {count * len(one)}"


def test_a_program_that_ends_before_its_form_was_issued_is_refused() -> None:
    (refused,) = [
        result.refused.reason
        for result in decode_file(SEVIS, batch([create(program={"ProgramEndDate": "2025-03-13"})]).encode())
        if result.refused is not None
    ]
    assert refused == "ProgramInfo ends before it begins"
