"""Each field of each interface, as its README has it: changing it changes an event, or the README says ignored."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from systems.cases import HERE
from systems.claims3.build import APPROVED, row
from systems.contract import content
from systems.i94.build import ARRIVAL, DEPARTURE, EXTENSION, detail, header, night, trailer

from adapters.core import Origin
from adapters.decode import decode, decode_file
from adapters.registry import systems
from adapters.systems.i94.adapter import CODES
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.rows import as_record
from schemas.events import AnyEvent


class Outcome(NamedTuple):
    """A field as a README's table has it."""

    section: str
    name: str
    where: str
    picture: str
    duty: str
    meaning: str


def readme(system: str) -> str:
    """The interface control document."""
    return files(f"adapters.systems.{system}").joinpath("README.md").read_text()


def tables(text: str) -> list[Outcome]:
    """The lines of all field tables, with the heading or sentence that they stand below."""
    section, results = "", []
    for line in text.splitlines():
        if line.startswith("#") or line.startswith("TYPE-DATA of"):
            section = line.strip("# :").split(" (")[0]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and re.match(r"\d", cells[1]):
            results.append(Outcome(section, *cells))
    return results


BASES = {
    "TYPE-DATA of an arrival": ARRIVAL,
    "TYPE-DATA of a departure": DEPARTURE,
    "TYPE-DATA of an extension": EXTENSION,
}
OTHER = {
    "RECORD-TYPE": "T", "INTERFACE-ID": "CBPI95", "INTERFACE-VERSION": "0101", "FILE-DATE": "20250315",
    "FILE-SEQUENCE": "000413", "CREATED-AT": "20250315043001", "PREVIOUS-SEQUENCE": "000410", "COVERAGE-COUNT": "01",
    "- COVERAGE-SCOPE": "DS", "- COVERAGE-SINCE": "20250314040001", "- COVERAGE-THROUGH": "20250315040001",
    "TXN-TYPE": "Q", "TXN-ACTION": "D", "LAST-UPDATED": "20250314223106", "I94-NUMBER": "123456789A2",
    "FAMILY-NAME": "GARCIA", "GIVEN-NAME": "MARIA", "BIRTH-DATE": "19870524", "SEX-CODE": "X", "CITIZENSHIP": "PRT",
    "PASSPORT-STATE": "PRT", "PASSPORT-NUMBER": "PAA123457", "VISA-FOIL": "K1234568", "PORT-CODE": "EWR",
    "MODE-CODE": "S", "CARRIER-CODE": "BA", "CONVEYANCE": "IB6253", "EVENT-DATE": "20250313", "EVENT-TIME": "181501",
    "EVENT-FOLD": "2", "ADMISSION-CLASS": "B1", "INSPECTION-CODE": "P", "ADMITTED-KIND": "S", "EVIDENCE-CODE": "B",
    "GRANTED-CLASS": "B1", "GRANTED-KIND": "S", "TRAILER-SEQUENCE": "000413", "OFFICER-ID": "Z", "TERMINAL-ID": "Z",
    "FILLER": "Z",
}  # fmt: skip
PACKED = {
    "TXN-NUMBER": "20000000021F", "ADMITTED-UNTIL": "020250914C", "GRANTED-UNTIL": "020251014C",
    "VALID-FROM": "020250913C", "DETAIL-COUNT": "00000009", "ARRIVAL-COUNT": "00000009",
    "DEPARTURE-COUNT": "00000009", "EXTENSION-COUNT": "00000009", "HASH-TOTAL": "00000000000000001C",
}  # fmt: skip


def spans(reported: Outcome) -> tuple[int, int]:
    """First and last position of a field, from 1; entries of the coverage count from the first one's start."""
    first, _, last = reported.where.partition("-")
    shift = 49 if reported.name.startswith("- ") else 0
    return int(first) + shift, int(last or first) + shift


def plain(event: AnyEvent) -> bytes:
    """The content without what is derived from all of it."""
    revision = event.revision.model_copy(update={"digest": "0" * 16})
    return content(event.model_copy(update={"id": UUID(int=0), "revision": revision}))


def said(raw: bytes) -> list[bytes]:
    """What a file says: contents of events without their derived ids and digests, and refusals."""
    results = []
    for result in decode_file(systems()["I94"], raw):
        results += [plain(event) for event in result.events]
        if result.refused is not None:
            results.append(result.refused.reason.encode())
    return results


I94 = [reported for reported in tables(readme("i94")) if reported.name not in ("COVERAGE (6 times)", "TYPE-DATA")]


def test_the_readme_and_the_copybook_describe_the_same_bytes() -> None:
    """Field tables of the README without a gap, each field where the copybook has it."""
    ends = {"Header": 250, "Trailer": 250, "Detail": 250}
    for section, end in ends.items():
        at = 1
        for message in [
            each for each in tables(readme("i94")) if each.section == section and not each.name.startswith("- ")
        ]:
            first, last = spans(message)
            assert first == at, message
            at = last + 1
        assert at == end + 1
    assert len(I94) == 56


@pytest.mark.parametrize("reported", I94, ids=lambda reported: f"{reported.section[-10:]}-{reported.name}")
def test_every_field_of_the_i94_changes_an_event_or_is_ignored(reported: Outcome) -> None:
    base = BASES.get(reported.section, ARRIVAL)
    one = detail(base, PASSPORT_STATE="ESP", ADMITTED_KIND="D") if base is ARRIVAL else detail(base)
    if reported.name == "EVENT-FOLD":  # tells two hours apart only where an hour comes twice
        one = detail(base, EVENT_DATE=20241103, EVENT_TIME=13000)
    records = {"Header": header(), "Trailer": trailer([one])}
    target = bytearray(records.get(reported.section, one))
    first, last = spans(reported)
    other = OTHER | ({"RECORD-TYPE": "H"} if reported.section == "Trailer" else {})
    if reported.name in PACKED:
        data = bytes.fromhex(PACKED[reported.name])
        assert len(data) == last - first + 1, "length of the field as the README has it"
    else:
        data = other[reported.name].ljust(last - first + 1).encode("cp037")
    assert target[first - 1 : last] != data
    target[first - 1 : last] = data
    changed = {reported.section: bytes(target)}
    if reported.section not in records:
        changed = {"Header": header(), "detail": bytes(target), "Trailer": trailer([one])}
        if reported.name == "TXN-NUMBER":
            changed["Trailer"] = trailer([bytes(target)])
    whole = records | {"detail": one} | changed
    before = said(header() + one + trailer([one]))
    after = said(whole["Header"] + whole["detail"] + whole["Trailer"])
    assert (before == after) == (reported.duty == "I"), (before, after)


@pytest.mark.parametrize("name", ["MODE-CODE", "CARRIER-CODE", "CONVEYANCE"])
def test_fields_that_are_ignored_in_an_extension(name: str) -> None:
    other = detail(EXTENSION, **{name.replace("-", "_"): "S"})
    assert said(night([other])) == said(night([detail(EXTENSION)]))


CLAIMS3 = [
    reported
    for line in readme("claims3").splitlines()
    if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 4
    for reported in [Outcome("", cells[0], "", cells[1], cells[2], cells[3])]
    if reported.name.isidentifier() and reported.name not in ("column", "row")
]
CHANGED: dict[str, Any] = {
    "action_id": 4712, "row_version": 2, "receipt_number": "LIN2590012345", "form_type": "I-485",
    "action_code": "FILED", "action_date": "2025-11-03", "filed_date": "2025-08-19", "a_number": "A87654321",
    "i94_number": "123456789A2", "family_name": "GARCIA", "given_name": None, "date_of_birth": "1987-05",
    "sex": None, "country_of_citizenship": "PRT", "passport_number": "PAA123457", "passport_country": "PRT",
    "current_class": "F-1", "requested_class": "F-1", "requested_until": "D/S", "granted_class": "B-1",
    "granted_until": "2026-03-14", "valid_from": "2025-09-15", "new_i94_number": "987654321B3", "void_flag": "Y",
    "last_update_ts": "2025-11-02T18:45:00.000001Z", "requested_action": "C", "t_u_vawa_flag": "Y",
    "service_center": "NSC", "examiner_id": None,
}  # fmt: skip


def row_says(changes: dict[str, Any]) -> list[bytes]:
    """What a row says, without derived ids and digests."""
    base = row(**APPROVED) | {"requested_class": "B-1", "current_class": "B-2"} | changes
    feed = systems()["CLAIMS3"].feeds[0]
    result = decode(as_record(base, "action_id"), feed, Origin("CLAIMS3", feed.name, "b", 1))
    return [plain(event) for event in result.events]


@pytest.mark.parametrize("reported", CLAIMS3, ids=lambda reported: reported.name)
def test_every_column_of_claims3_changes_an_event_or_is_ignored(reported: Outcome) -> None:
    before = row_says({})
    changes = {reported.name: CHANGED[reported.name]}
    if reported.name == "current_class":  # decides what is asked: the class that is asked for, or another
        changes = {"current_class": "B-1"}
    assert before
    assert (row_says(changes) == before) == (reported.duty == "I")


def test_the_interface_has_these_columns_and_no_other() -> None:
    assert {message.name for message in CLAIMS3} == set(CHANGED)
    feed = systems()["CLAIMS3"].feeds[0]
    assert isinstance(feed.transport, DatabasePoll)
    assert set(feed.transport.columns) == {message.name for message in CLAIMS3 if message.duty != "I"}


@pytest.mark.parametrize("column", ["granted_class", "granted_until", "valid_from", "new_i94_number"])
def test_columns_of_an_approval_are_ignored_elsewhere(column: str) -> None:
    denied = {"action_code": "DENIED"}
    assert row_says(denied) == row_says(denied | {column: None})


def test_the_code_tables_of_the_readme_are_those_of_the_adapter() -> None:
    text = readme("i94")
    for code, (name, zone) in CODES["ports"].items():
        assert f"| `{code}` | {name} | {zone} |" in text
    for code, meaning in CODES["scopes"].items():
        assert f"| `{code}` | {meaning} |" in text
    for code, meaning in CODES["classes"].items():
        assert f"`{code}` {meaning}" in text
    assert len(re.findall(r"^\| `[A-Z]{3}` \|", text, re.M)) == len(CODES["ports"])
    assert tomllib.loads(files("adapters.systems.i94").joinpath("codes.toml").read_text()) == CODES
    assert (HERE / "i94").is_dir()
