"""PNRGOV as carriers and their relays send it: parts, dates, documents that stand with another, logs around it."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from formats.pnrgov.build import (
    DOCS,
    HEAD,
    INFANT,
    LEG,
    LOG,
    OF_INFANT,
    SRC,
    TIF,
    TVL,
    UNB,
    UNH,
    interchange,
    message,
    reservation,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.core import BadRecord, Closing, Completeness, Outside, Read, Record, Unreadable
from adapters.formats.edifact import LONGEST
from adapters.formats.pnrgov import Pnrgov
from adapters.formats.reservation import Flight, docs_of


def read(data: bytes) -> list[Read]:
    reads = list(Pnrgov().read(BytesIO(data)))
    assert sorted(b"".join(each.raw for each in reads)) == sorted(data)
    return reads


def records(data: bytes) -> list[Record]:
    reads = read(data)
    assert not [each.reason for each in reads if isinstance(each, BadRecord)]
    return [each for each in reads if isinstance(each, Record)]


def one(data: bytes) -> dict[str, Any]:
    (record,) = records(data)
    return dict(record.fields)


def reasons(data: bytes) -> list[str]:
    return [each.reason for each in read(data) if isinstance(each, BadRecord)]


def differing(data: bytes) -> list[str]:
    return [line for each in read(data) if isinstance(each, Closing) for line in each.fields["told"]]


# --- the flight --------------------------------------------------------------------------------------------------


def test_a_reservation_with_its_flight_and_its_traveller() -> None:
    said = one(interchange(message(reservation())))
    assert said["heading"] == Flight("123", "XA", "JFK", "YUL", "202603011900", "202603012235", 1, True, 1)
    assert said["reservation"].locators == (("XA", "QX7RTA"),)
    assert said["reservation"].status == "HK"
    assert (said["family"], said["given"], said["kind"], said["reference"]) == ("MARLOWE", "IRENE ANNE", "A", "1")
    assert said["documents"] == (("P", "099123456", "GBR"),)
    assert (said["birth"], said["sex"], said["citizenship"]) == ("1977-08-23", "F", "GBR")
    assert said["prepared"].isoformat() == "2026-02-28T14:12:00+00:00"


def test_dates_of_tvl_are_ddmmyy_and_those_of_unb_yymmdd() -> None:
    """By the other reading 010326 would be a day in 2001; a date that lies years away makes no flight, and is told."""
    assert one(interchange(message(reservation())))["heading"].departs == "202603011900"
    wrong = message(reservation(), head=HEAD.replace("010326", "260301"))
    assert (
        reasons(interchange(wrong))[0] == "TVL: a flight on 2001-03-26 in a message of 2026-02-28: is its date DDMMYY?"
    )


@pytest.mark.parametrize("access", ["XA123/010326/1900/24", "270513/0649/XA/123", "123456789", ""])
def test_the_access_reference_has_many_forms_and_is_not_read(access: str) -> None:
    unh = "UNH+{0}+PNRGOV:13:1:IA+" + access + "+{1}'"
    assert one(interchange(message(reservation(), unh=unh)))["heading"].departs == "202603011900"


@pytest.mark.parametrize("agency", ["IA", "XS"])
@pytest.mark.parametrize("version", ["10:1", "11:1", "13:1", "18:1"])
def test_agency_and_version_may_be_others(agency: str, version: str) -> None:
    unh = UNH.replace("13:1:IA", f"{version}:{agency}")
    assert one(interchange(message(reservation(), unh=unh)))["family"] == "MARLOWE"


@pytest.mark.parametrize(
    ("times", "arrives"),
    [
        ("010326:1900:2235", "202603012235"),  # without the day of arrival
        ("010326:1900::2235", "202603012235"),
        ("010326:1900:0115", ""),  # before the departure: of another day, which is not told
        ("010326:1900:020326:0115", "202603020115"),
        ("010326:1900", ""),
        ("010326:1900:020326", "20260302"),
    ],
)
def test_tvl_may_lack_the_day_of_arrival(times: str, arrives: str) -> None:
    head = HEAD.replace("010326:1900:010326:2235", times)
    flight = one(interchange(message(reservation(), head=head)))["heading"]
    assert (flight.departs, flight.arrives) == ("202603011900", arrives)


def test_an_arrival_that_cannot_be_read_costs_itself() -> None:
    head = HEAD.replace("010326:2235", "320326:2235")
    flight = one(interchange(message(reservation(), head=head)))["heading"]
    assert isinstance(flight.arrives, Unreadable)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (HEAD.replace("TVL", "TVX"), "0 segments TVL in a heading"),
        (HEAD + TVL, "2 segments TVL in a heading"),
        (HEAD.replace("010326:1900", "310226:1900"), "no DDMMYY of the calendar"),
        (HEAD.replace("010326:1900", "010326:2575"), "a time '2575' that is no HHMM"),
        (HEAD.replace("JFK", ""), "names no two airports"),
        (HEAD.replace("010326:1900:010326:2235", ""), "has no day of departure"),
        ("TVL+230413+1420+JFK+YUL+XA+123'", "a flight on 2013-04-23"),
    ],
)
def test_a_flight_that_is_none_refuses_its_reservations(head: str, why: str) -> None:
    """Heading and reservation are both kept, and the next message is read."""
    data = interchange(message(reservation(), head=head), message(reservation()))
    refused = reasons(data)
    assert why in refused[0]
    assert refused[1].startswith("of a message that is refused")
    assert sum(isinstance(each, Record) for each in read(data)) == 1


# --- parts -------------------------------------------------------------------------------------------------------


def parts() -> list[str]:
    return [
        message(reservation(), reservation(src=SRC.replace("QX7RTA", "AB12CD")), part="01:C", count=4),
        message(reservation(src=SRC.replace("QX7RTA", "EF34GH")), part="02:C", count=4),
        message(reservation(src=SRC.replace("QX7RTA", "JK56LM")), part="03:F", count=4),
    ]


def test_a_flight_in_several_interchanges_counts_its_reservations_over_all_of_them() -> None:
    data = b"".join(interchange(part, number=f"011{number}") for number, part in enumerate(parts()))
    assert len(records(data)) == 4
    assert differing(data) == [], "EQN is of the flight: each part alone would differ"


def test_a_part_alone_is_read_and_its_count_is_not_missed() -> None:
    for part in parts():
        assert differing(interchange(part)) == []


def test_a_reservation_that_is_missing_from_all_parts_is_told() -> None:
    first, second, third = parts()
    data = interchange(first, second, third.replace("EQN+4", "EQN+5").replace("UNT", "UNT"))
    assert differing(data) == ["EQN says 5, there are 4 reservations"]


@pytest.mark.parametrize("part", ["06", "01", "23:F", ""])
def test_a_part_may_lack_its_indicator(part: str) -> None:
    assert one(interchange(message(reservation(), part=part)))["family"] == "MARLOWE"


def test_one_src_is_one_reservation() -> None:
    data = interchange(message(reservation(), reservation(src=SRC.replace("QX7RTA", "AB12CD")), count=2))
    assert [each.fields["reservation"].locators[0][1] for each in records(data)] == ["QX7RTA", "AB12CD"]
    assert "reservation 2 traveller 1" in records(data)[1].place


# --- what relays do ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("una", ["", "UNA:+.?*'", "UNA:+.?*'\n", "UNA:+.? '\r\n", "UNA:+.?*' \n            "])
def test_una_may_be_missing_or_followed_by_line_ends(una: str) -> None:
    assert one(interchange(message(reservation()), una=una))["family"] == "MARLOWE"


def test_other_separators() -> None:
    plain = interchange(message(reservation()), una="").decode()
    data = plain.translate(str.maketrans({":": "|", "+": "*", "'": "~"}))
    assert one(f"UNA|*.? ~\n{data}".encode())["documents"] == (("P", "099123456", "GBR"),)


@pytest.mark.parametrize("una", ["UNA:+\\*'\n", "UNA:+.?'\r\n"])
def test_una_may_lack_one_of_its_characters(una: str) -> None:
    """The mark that ends a segment is then the fifth, and a line end behind it ends none."""
    data = interchange(message(reservation()), una=una)
    assert one(data)["documents"] == (("P", "099123456", "GBR"),)
    (closing,) = [each for each in read(data) if isinstance(each, Closing)]
    assert closing.fields["tolerated"]["UNA of five characters"] == 1


def test_segments_on_lines_of_their_own_and_wrapped_lines() -> None:
    data = interchange(message(reservation()))
    assert one(data.replace(b"'", b"'\r\n"))["given"] == "IRENE ANNE"
    assert one(b"\n".join(data[at : at + 60] for at in range(0, len(data), 60)))["given"] == "IRENE ANNE"


def test_lines_of_a_log_around_interchanges() -> None:
    body = interchange(message(reservation())).decode()
    data = f"{LOG}{body}\n]\n\n{LOG}{body}\n]\n".encode()
    assert len(records(data)) == 2
    assert differing(data) == []


def test_lines_of_a_log_that_cut_the_trailers_off() -> None:
    """A relay that keeps the message alone: no UNZ, a line of its log, and the next UNA."""
    body = interchange(message(reservation())).decode().rpartition("UNZ")[0]
    data = f"{LOG}{body}]\n\n{LOG}{body}]".encode()
    reads = read(data)
    assert sum(isinstance(each, Record) for each in reads) == 2
    assert not [each for each in reads if isinstance(each, BadRecord)]
    assert differing(data) == ["no UNZ", "no UNZ"]


def test_many_lines_of_a_log_between_two_interchanges() -> None:
    body = interchange(message(reservation()))
    lines = b"".join(b"DEBUG [2026-02-28] heartbeat number %d of the relay, nothing to do\n" % at for at in range(400))
    assert len(lines) > 2 * LONGEST
    data = lines + body + lines + body + lines
    assert len(records(data)) == 2
    assert any(isinstance(each, Outside) for each in read(data))


def test_a_reservation_outside_any_interchange_is_refused_and_not_passed_over() -> None:
    assert reasons(message(reservation()).encode()) != []
    assert reasons(b"") == ["no interchange"]
    assert reasons(bytes(range(256)) * 4)[-1] == "no interchange"


# --- travellers and their documents ------------------------------------------------------------------------------


def test_an_infants_document_that_stands_with_the_adult_is_the_infants() -> None:
    """As in the guide's own example: SSR stand in the group of the adult, the infant's first."""
    adult, infant = records(interchange(message(reservation(TIF, OF_INFANT, DOCS, INFANT))))
    assert adult.fields["documents"] == (("P", "099123456", "GBR"),)
    assert (adult.fields["sex"], adult.fields["birth"]) == ("F", "1977-08-23")
    assert infant.fields["documents"] == (("P", "099777888", "GBR"),)
    assert (infant.fields["sex"], infant.fields["birth"], infant.fields["given"]) == ("M", "2025-09-20", "TOBY JOHN")


def test_an_infants_document_without_names_is_the_one_infants() -> None:
    bare = "SSR+DOCS:HK:1:XA:::::/P/GBR/099777888/GBR/20SEP25/FI/25OCT30//'"
    adult, infant = records(interchange(message(reservation(TIF, bare, DOCS, INFANT))))
    assert infant.fields["documents"] == (("P", "099777888", "GBR"),)
    assert adult.fields["documents"] == (("P", "099123456", "GBR"),)


def test_documents_at_the_leg_find_their_traveller_by_reference_or_name() -> None:
    second = "TIF+MARLOWE+OWEN MR:A:2'"
    by_reference = "SSR+DOCS:HK:1:XA:::JFK:YUL:/P/GBR/099555666/GBR/01JAN75/M/12NOV30//+::2'"
    by_name = "SSR+DOCS:HK:1:XA:::JFK:YUL:/P/GBR/099123456/GBR/23AUG77/F/13FEB30/MARLOWE/IRENE ANNE'"
    one_, other = records(interchange(message(reservation(TIF, second, leg=LEG + by_reference + by_name))))
    assert one_.fields["documents"] == (("P", "099123456", "GBR"),)
    assert other.fields["documents"] == (("P", "099555666", "GBR"),)


def test_a_document_whose_owner_cannot_be_known_is_nobodys() -> None:
    second = "TIF+MARLOWE+OWEN MR:A:2'"
    nameless = "SSR+DOCS:HK:1:XA:::JFK:YUL:/P/GBR/099555666/GBR/01JAN75/M/12NOV30//'"
    for each in records(interchange(message(reservation(TIF, second, leg=LEG + nameless)))):
        assert each.fields["documents"] == ()
        assert isinstance(each.fields["ambiguous"], Unreadable)


@pytest.mark.parametrize(
    ("text", "number", "birth", "names"),
    [
        ("/P/DEU/C4FG15LP2/DEU/23AUG77/M/13FEB24/GREWEN/MARTIN", "DEU C4FG15LP2", "1977-08-23", "GREWEN, MARTIN"),
        ("P/GBR/36263623/USA/31MAR89/M/12APR29/FRANKEN/JAMES/H", "GBR 36263623", "1989-03-31", "FRANKEN, JAMES H"),
        ("//P/P00266142/14JUL71/M/28MAY23/AVDIN/ILIR", " P00266142", "1971-07-14", "AVDIN, ILIR"),
        ("//DE/C4FG15LP2/DE/23AUG77/M/13FEB24/GREWEN/MARTIN", "DEU C4FG15LP2", "1977-08-23", "GREWEN, MARTIN"),
        ("/////05AUG70/F//STRINDEN/BENITA", " ", "1970-08-05", "STRINDEN, BENITA"),
        ("/P/GBR/099123456/GBR//F/13FEB30/MARLOWE/IRENE", "GBR 099123456", None, "MARLOWE, IRENE"),
        ("/P/GB/099123456/GB/23AUG1977/F/13FEB30/MARLOWE/IRENE", "GBR 099123456", "1977-08-23", "MARLOWE, IRENE"),
        ("/P/GBR/099123456/GBR/23AUG77/F/13FEB30/MARLOWE/IRENE//H", "GBR 099123456", "1977-08-23", "MARLOWE, IRENE"),
        ("/P/GBR/099123456/GBR/23AUG77/F/13FEB30/MARLOWE/IRENE/A/H", "GBR 099123456", "1977-08-23", "MARLOWE, IRENE A"),
    ],
)
def test_the_text_of_docs_as_carriers_write_it(text: str, number: str, birth: str | None, names: str) -> None:
    docs = docs_of(text, date(2026, 2, 28))
    assert docs is not None
    assert docs.document == (("P" if number.strip() else ""), *reversed(number.split(" ")))
    assert docs.birth == birth
    assert f"{docs.family}, {docs.given}" == names


def test_whose_a_text_is_may_stand_behind_it() -> None:
    text = DOCS.replace("IRENE ANNE'", "IRENE-1MARLOWE/IRENE MRS'")
    assert one(interchange(message(reservation(TIF, text))))["given"] == "IRENE"


def test_a_visa_in_doco() -> None:
    visa = "SSR+DOCO:HK:1:XA:::::LONDON GBR/V/19801148/LONDON/14MAR24/USA'"
    assert ("V", "19801148", "USA") in one(interchange(message(reservation(TIF, DOCS, visa))))["documents"]


def test_names_without_documents_lose_their_titles_and_nothing_else() -> None:
    for given_name, expected in (
        ("IRENE MRS", "IRENE"),
        ("IRENEMRS", "IRENE"),
        ("STEVENMR CARL", "STEVEN CARL"),
        ("DR", "DR"),
        ("MR", ""),
        ("JEAN DR MR", "JEAN"),
        ("MISSY", "MISSY"),
        ("ADAMS", "ADAMS"),
        ("AMR", "AMR"),
    ):
        assert one(interchange(message(reservation(f"TIF+MARLOWE+{given_name}:A:1'"))))["given"] == expected


def test_a_wrong_birth_costs_itself() -> None:
    text = DOCS.replace("23AUG77", "31FEB77")
    assert isinstance(one(interchange(message(reservation(TIF, text))))["birth"], Unreadable)


def test_a_group_is_no_traveller() -> None:
    (only,) = records(interchange(message(reservation("TIF+SMITHTOURS:G'", TIF, DOCS))))
    assert only.fields["family"] == "MARLOWE"


def test_check_in_data_behind_the_leg_name_nobody_anew() -> None:
    checked_in = "DAT'ORG+XA++++A'TRI++JFK-168:::1'TIF+MARLOWE+IRENE MRS:A:1'SSD+011D++++J'"
    assert len(records(interchange(message(reservation(leg=LEG + checked_in))))) == 1


def test_locators_of_partners_and_the_state_of_the_seats() -> None:
    src = "SRC'RCI+XA:QX7RTA+ZZ:AB12CD'"
    leg = "TVL+280226:1000+BOS+JFK+XA+77'RPI+1+HX'" + LEG.replace("HK", "UN") + "RCI+ZZ:ZZZZZZ'"
    booked = one(interchange(message(reservation(src=src, leg=leg))))["reservation"]
    assert booked.locators == (("XA", "QX7RTA"), ("ZZ", "AB12CD"))
    assert booked.status == "UN", "of this flight, not of the leg before it"


# --- what is refused ---------------------------------------------------------------------------------------------


def test_a_cancelled_reservation_that_names_nobody_is_told() -> None:
    assert reasons(interchange(message(SRC))) == [
        "a reservation that names no traveller: whose it is, or was, cannot be known"
    ]


def test_a_reservation_without_a_locator() -> None:
    assert reasons(interchange(message(reservation(src="SRC'")))) == ["a reservation without a locator (RCI)"]


def test_a_file_that_is_cut_off_refuses_the_last_reservation_alone() -> None:
    data = interchange(message(reservation(), reservation(src=SRC.replace("QX7RTA", "AB12CD")), count=2))
    for size in (len(data) - 60, data.rindex(b"DOCS"), data.rindex(b"TIF") + 5):
        reads = read(data[:size])
        assert [each.fields["reservation"].locators[0][1] for each in reads if isinstance(each, Record)] == ["QX7RTA"]
        assert any(isinstance(each, BadRecord) for each in reads)


def test_what_has_lost_the_start_of_a_segment_is_refused() -> None:
    """Of a reservation whose SRC or TIF was garbled nobody knows whose the rest is."""
    data = interchange(message(reservation(), reservation(src=SRC.replace("QX7RTA", "AB12CD"))))
    broken = data.replace(b"SRC'RCI+XA:AB12CD", b"SRC\x01\x02CI+XA:AB12CD")
    reads = read(broken)
    assert [each.fields["reservation"].locators for each in reads if isinstance(each, Record)] == []
    assert any(isinstance(each, BadRecord) for each in reads)


def test_a_line_that_is_nobodys_may_hold_anything() -> None:
    odd = "IFT+4:28::YY+caf\u00e9'LTS+0/O/NM/\x01'"
    data = interchange(message(reservation(leg=odd + LEG))).replace("\u00e9".encode(), b"\xe9")
    assert one(data)["family"] == "MARLOWE"


def test_another_message_is_refused() -> None:
    data = interchange(message(reservation(), unh=UNH.replace("PNRGOV:13:1", "PAXLST:D:05B")))
    assert reasons(data)[0] == "a message 'PAXLST', not PNRGOV"


def test_whether_a_file_is_whole() -> None:
    data = interchange(message(reservation()))
    assert Pnrgov().is_complete(BytesIO(data + b"\n]\n")) is Completeness.CLOSED
    assert Pnrgov().is_complete(BytesIO(data[:-20])) is Completeness.OPEN


# --- any bytes ---------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_bytes_are_accounted_for(data: st.DataObject) -> None:
    seed = bytearray(LOG.encode() + interchange(message(reservation(TIF, OF_INFANT, DOCS, INFANT)), *parts()))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(seed) - 1))
        if data.draw(st.booleans()):
            del seed[at : at + data.draw(st.integers(1, 200))]
        else:
            seed[at:at] = data.draw(st.sampled_from([b"'", b"UNB+", b"\n]\nUNA:+.?*'UNB+", b"\xff", b"SRC'", b"UNT'"]))
    reads = list(Pnrgov().read(BytesIO(seed)))
    # no byte is missing; a segment of several travellers stands with each of them
    assert not Counter(seed) - Counter(b"".join(each.raw for each in reads))
    assert all(each.place for each in reads)


class Endless:
    """One interchange of so many reservations."""

    def __init__(self, count: int) -> None:
        self._parts = self._made(count)

    @staticmethod
    def _made(count: int) -> Iterator[bytes]:
        yield (UNB.format("1") + UNH.format("1", "01:F") + HEAD).encode()
        whole = (reservation() * 50).encode()
        for _ in range(count // 50):
            yield whole
        yield b"UNT+1+1'UNZ+1+1'"

    def read(self, _: int = -1) -> bytes:
        return next(self._parts, b"")


def test_a_large_flight_takes_little_memory() -> None:
    tracemalloc.start()
    count = sum(isinstance(each, Record) for each in Pnrgov().read(Endless(5_000)))  # type: ignore[arg-type]  # reads only
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 5_000
    assert peak < 3_000_000


@pytest.mark.slow
def test_it_is_not_slow() -> None:
    begin = time.process_time()
    count = sum(isinstance(each, Record) for each in Pnrgov().read(Endless(10_000)))  # type: ignore[arg-type]  # reads only
    assert count / (time.process_time() - begin) > 3_000
