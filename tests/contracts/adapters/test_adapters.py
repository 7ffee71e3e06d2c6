"""What holds of the formats of I-94 and CLAIMS 3 whatever comes. What holds for any system is in `systems.contract`."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import BinaryIO, cast

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from systems.claims3.build import row
from systems.contract import judge
from systems.i94.build import ARRIVAL, DEPARTURE, detail, header, night, trailer

from adapters.core import BadRecord, Closing, Feed, Header, Origin, Record
from adapters.decode import Decoded, Totals, decode, decode_file
from adapters.formats.descriptors import Descriptors
from adapters.formats.fixed import FixedFormat
from adapters.registry import systems
from adapters.systems.i94.adapter import FORMAT
from adapters.transports.rows import as_record

# --- refusing everything is no way to pass: odd but valid inputs have to be read ---------------------------------

_NAMES = st.text("ABCXYZ' -.", min_size=1, max_size=39).map(lambda text: text.strip() or "X")
_DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31))


@st.composite
def odd_files(draw: st.DrawFn) -> tuple[bytes, int]:
    """Nights with what is rare and right."""
    details = []
    for number in range(draw(st.integers(0, 5))):
        day = draw(_DAYS)
        details.append(
            detail(
                ARRIVAL,
                TXN_NUMBER=draw(st.integers(1, 10**11 - 7)) if number == 0 else 10**11 - number,
                TXN_ACTION=draw(st.sampled_from("NCD")),
                LAST_UPDATED=20491231235959,
                FAMILY_NAME=draw(_NAMES),
                GIVEN_NAME=draw(st.sampled_from(["", "FNU", "A" * 39])),
                BIRTH_DATE=draw(st.sampled_from([0, 19000000, 19040200, 19040229, 20250314])),
                SEX_CODE=draw(st.sampled_from(["", "F", "M", "X"])),
                CITIZENSHIP=draw(st.sampled_from(["", "D", "DEU", "GBN", "XXA", "UNO", "XXB"])),
                PASSPORT_STATE=draw(st.sampled_from(["D", "GBD", "XPO"])),
                PASSPORT_NUMBER=draw(st.sampled_from(["C01X00T47", "000000000000000", "ABC"])),
                I94_NUMBER=draw(st.sampled_from(["00000000000", "999999999Z9"])),
                VISA_FOIL=draw(st.sampled_from(["", "12345678", "Z0000000"])),
                PORT_CODE=draw(st.sampled_from(["GUM", "PHX", "AUH", "PEM", "SNN"])),
                CARRIER_CODE=draw(st.sampled_from(["", "3U", "RCL"])),
                CONVEYANCE=draw(st.sampled_from(["", "7ABC123", "U2-1", "BA0001A"])),
                EVENT_DATE=int(day.strftime("%Y%m%d")),
                EVENT_TIME=draw(st.sampled_from([0, 235959, 999999, 23000])),
                EVENT_FOLD=draw(st.sampled_from(["", "1", "2"])),
                ADMISSION_CLASS=draw(st.sampled_from(["H1B1", "I", "WT", "GMB"])),
                ADMITTED_KIND=draw(st.sampled_from(["D", "S", ""])),
            )
        )
    return night(details, draw(st.integers(1, 999_999))), len(details)


@settings(max_examples=60, deadline=None)
@given(odd_files())
def test_odd_files_of_the_i94_are_read_to_the_last_record(drawn: tuple[bytes, int]) -> None:
    raw, count = drawn
    totals = Totals()
    for result in decode_file(systems()["I94"], raw):
        totals.add(result)
        assert result.refused is None, result.refused
    assert (totals.read, totals.published, totals.events["coverage"]) == (count, count, 2)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_odd_rows_of_claims3_are_read(data: st.DataObject) -> None:
    feed = systems()["CLAIMS3"].feeds[0]
    days = _DAYS.map(lambda day: day.isoformat())
    said = row(
        action_id=data.draw(st.integers(1, 2**63 - 1)),
        row_version=data.draw(st.integers(1, 2**31 - 1)),
        receipt_number=data.draw(st.sampled_from(["IOE0000000000", "YSC9999999999"])),
        form_type=data.draw(st.sampled_from(["I-539", "I-129", "I-485", "I-765"])),
        action_code=data.draw(st.sampled_from(["FILED", "APPROVED", "DENIED", "WITHDRAWN", "APPEALED"])),
        action_date=data.draw(days),
        filed_date=data.draw(st.none() | days),
        a_number=data.draw(st.sampled_from([None, "A1234567", "A123456789", "  A12345678"])),
        family_name=data.draw(st.none() | _NAMES),
        given_name=data.draw(st.none() | st.just("Zoë Ñ'o - 李")),
        date_of_birth=data.draw(st.none() | st.sampled_from(["1950", "1950-12"]) | days),
        current_class=data.draw(st.sampled_from([None, "B-2", "B2", "H-1B1 "])),
        requested_class=data.draw(st.sampled_from([None, "F-1", "B2"])),
        requested_until=data.draw(st.none() | st.just("D/S") | days),
        granted_class=data.draw(st.sampled_from([None, "IR1", "L-1A"])),
        granted_until=data.draw(st.none() | st.just("D/S") | days),
        void_flag=data.draw(st.sampled_from("YN")),
        last_update_ts="2049-12-31T23:59:59.000000Z",
    )
    if said["action_code"] == "FILED" and said["filed_date"] is not None:
        said["filed_date"] = said["action_date"]
    result = decode(as_record(said, "action_id"), feed, Origin("CLAIMS3", feed.name, "b", 1))
    assert result.refused is None
    assert bool(result.filtered) == (said["form_type"] == "I-765")


# --- bounded memory ----------------------------------------------------------------------------------------------


class Endless:
    """A file that is never in memory as a whole."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._left += piece
        data, self._left = self._left[:size], self._left[size:]
        return data


@pytest.mark.parametrize("garbage", [False, True])
@pytest.mark.slow
def test_a_large_file_is_read_in_little_memory(*, garbage: bool) -> None:
    feed: Feed = systems()["I94"].feeds[0]
    assert feed.format is not None
    count = 10_000
    one = b"\xff" * 250 if garbage else detail(ARRIVAL)

    def pieces() -> Iterator[bytes]:
        yield header()
        for _ in range(count):
            yield one
        yield trailer([])

    tracemalloc.start()
    try:
        kinds = [0, 0]
        for read in feed.format.read(cast(BinaryIO, Endless(pieces()))):
            kinds[isinstance(read, BadRecord)] += 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kinds[garbage] >= count
    assert peak < 2_000_000, f"{peak} bytes for a file of {count * 250}"


@pytest.mark.law(2, "fixed records, one of them cut anywhere")
@settings(deadline=None)
@given(which=st.integers(1, 6), at=st.integers(0, 249), lost=st.integers(1, 249))
@example(which=2, at=0, lost=126)
@example(which=2, at=0, lost=166)
def test_bytes_that_are_lost_cost_one_record_and_no_other(which: int, at: int, lost: int) -> None:
    assume(at > 0 or lost <= 166)  # a short end without its start looks like bytes too many of the record before
    names = ("DHEERAJ THADHANI", "DAHLHEDT", "SUPARMAN", "TEDDH HTDTH", "HEATHER", "EDDHARDT")
    details = [detail(DEPARTURE, TXN_NUMBER=number, FAMILY_NAME=name) for number, name in enumerate(names, 1)]
    pieces = [header(), *details, trailer(details)]
    pieces[which] = pieces[which][:at] + pieces[which][at + lost :]
    results = list(decode_file(systems()["I94"], b"".join(pieces)))
    records = [event.record for result in results for event in result.events]
    assert records == [f"{number:011}" for number in range(1, 7) if number != which or not pieces[which]]
    assert b"".join(result.read.raw for result in results) == b"".join(pieces)


@pytest.mark.law(2, planted="a reader that counts bytes and never looks where records begin")
def test_a_reader_that_only_counts_bytes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: what stands behind a record that is cut is lost."""
    details = [detail(DEPARTURE, TXN_NUMBER=number) for number in range(1, 7)]
    cut = b"".join([header(), details[0][:-1], *details[1:], trailer(details)])

    def records() -> int:
        return sum(len(result.events) for result in decode_file(systems()["I94"], cut))

    assert records() == 5
    monkeypatch.setattr(FixedFormat, "_again", lambda *arguments: None)
    assert records() < 5


def test_a_file_with_descriptor_words() -> None:
    """The same records, each behind its length; a wrong word ends what can be told apart, and nothing is lost."""
    described = replace(FORMAT, descriptors=Descriptors())
    records = [header(), detail(ARRIVAL), trailer([detail(ARRIVAL)])]
    words = [(len(each) + 4).to_bytes(2, "big") + b"\0\0" + each for each in records]
    good = list(described.read(BytesIO(b"".join(words))))
    assert [type(read) for read in good] == [Header, Record, Closing]
    assert [read.place for read in good] == ["record 1, byte 0", "record 2, byte 254", "record 3, byte 508"]
    bad = list(described.read(BytesIO(words[0] + b"\0\3\0\0" + b"x" * 40_000)))
    assert [type(read) for read in bad] == [Header, BadRecord, BadRecord, BadRecord]
    assert len(bad[1].raw) + len(bad[2].raw) == 40_004
    short = list(described.read(BytesIO(b"".join(words[:2])[:-20])))
    assert isinstance(short[1], BadRecord)
    assert short[1].reason == "truncated: 230 of 250 bytes"


@pytest.mark.law(2, planted="a mapping that drops what it does not like")
@pytest.mark.law(3, planted="one id, two contents")
def test_a_planted_bug_is_caught_by_the_laws() -> None:
    """A mapping that drops what it does not like, and one whose ids are shared, do not pass `judge`."""
    system = systems()["I94"]
    results = list(decode_file(system, night([detail(ARRIVAL), detail(ARRIVAL, TXN_NUMBER=5)])))
    judge(results)
    dropped = [Decoded(result.read) if isinstance(result.read, Record) else result for result in results]
    with pytest.raises(AssertionError, match="not accounted for"):
        judge(dropped)
    first, second = (result.events[0] for result in results if isinstance(result.read, Record))
    shared = [Decoded(results[1].read, (first, second.model_copy(update={"id": first.id})))]
    with pytest.raises(AssertionError, match="one id, two contents"):
        judge(shared)
