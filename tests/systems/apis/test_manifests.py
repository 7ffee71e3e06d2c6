"""What the interface of APIS promises, beyond its cases: each field, the notes, the laws of keys and revisions."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO, cast

import pytest
from contracts.adapters.test_adapters import Endless
from contracts.adapters.test_fields import plain, readme
from hypothesis import given, settings
from hypothesis import strategies as st
from systems.cases import HERE
from systems.contract import judge

from adapters.core import Completeness, Note, Record
from adapters.decode import Decoded, Totals, decode_file
from adapters.formats.paxlst import Paxlst
from adapters.registry import systems

APIS = systems()["APIS"]
HEAD = """UNB+UNOA:4+BAW:ZZ+USCSAPIS:ZZ+250314:1815+000000412++APIS++++0
UNG+PAXLST+BAW:ZZ+USCSAPIS:ZZ+250314:1815+1+UN+D:05B
UNH+PAX001+PAXLST:D:05B:UN:IATA+BA117/250314+01:F
BGM+745+CP+9
RFF+TN:BR1234
NAD+MS+++BAW CONTROL CENTRE
CTA+IC+:DESK
COM+442085621234:TE"""
OUT = """TDT+20+178+4++BA
LOC+125+JFK
DTM+189:2503142130:201
LOC+92+BOS
DTM+232:2503142230:201
DTM+189:2503142330:201
LOC+87+LHR
DTM+232:2503150920:201"""
IN = """TDT+20+117+4++BA
LOC+125+LHR
DTM+189:2503141425:201
LOC+92+BOS
DTM+232:2503141735:201
DTM+189:2503141900:201
LOC+87+JFK
DTM+232:2503142000:201"""
PERSON = """NAD+FL+++GARCIA LOPEZ:MARIA:JOSE+4532 WILSON STREET+PHILADELPHIA+PA+34288+USA
ATT+2++F
DTM+329:870523:101
MEA+CT++:2
GEI+4+173
FTX+BAG+++BA987654
LOC+22+LHR
LOC+178+{0}
LOC+179+{1}
LOC+174+ESP
LOC+180+GBR:::CARDIFF
EMP+1+CR1:110:111
NAT+2+ESP
RFF+AVF:Y18IAG
RFF+ABO:4711BA178
RFF+SEA:27F
DOC+P:110:111+PAA123456
DTM+36:310102
LOC+91+ESP"""
TAIL = """CNT+42:1
UNT+{}+PAX001
UNE+1+1
UNZ+1+000000412"""
OUTBOUND = [*HEAD.split("\n"), *OUT.split("\n"), *PERSON.format("JFK", "LHR").split("\n"), *TAIL.format(35).split("\n")]
INBOUND = [*HEAD.split("\n"), *IN.split("\n"), *PERSON.format("LHR", "BOS").split("\n"), *TAIL.format(35).split("\n")]
OTHER = {
    "UNB 1.1": "UNOX", "UNB 4.1": "250315", "UNB 4.2": "1816", "UNB 5.1": "000000413", "UNB 11.1": "1",
    "UNH 2.1": "CUSRES",
    "BGM 1.1": "744", "BGM 2.1": "XR", "BGM 3.1": "1", "TDT 2.1": "179", "TDT 3.1": "1", "TDT 5.1": "AA",
    "LOC+125 2.1": "EWR", "LOC+92 2.1": "ORD", "LOC+87 2.1": "LGW", "NAD+FL 1.1": "CN", "ATT+2 3.1": "M",
    "DTM+329 1.2": "870524", "DTM+329 1.3": "2",
    "LOC+178 2.1": "BOS", "LOC+179 2.1": "BOS", "NAT+2 2.1": "PRT", "RFF+AVF 1.2": "Y18IAH",
    "RFF+ABO 1.2": "4712", "DOC+P 1.1": "I", "DOC+P 2.1": "PAA123457", "LOC+91 2.1": "PRT", "DTM+189 1.2": "2503152330",
    "DTM+232 1.2": "2503151735", "DTM+189 1.3": "203", "DTM+232 1.3": "203",
}  # fmt: skip
FIELD = re.compile(r"\| ([A-Z]{3}(?:\+\w+)? \d+\.\d) \| [^|]* \| ([MOI]) \|")
QUALIFIED = ("NAD", "ATT", "DTM", "LOC", "NAT", "RFF", "DOC")
DUTIES = dict(FIELD.findall(readme("apis")))


def edi(segments: list[str]) -> bytes:
    """The interchange of these segments."""
    return ("UNA:+.? '" + "'".join(segments) + "'\n").encode()


def says(segments: list[str]) -> list[bytes]:
    """Contents without derived ids and digests, refusals, rules."""
    entries = []
    for result in decode_file(APIS, edi(segments)):
        entries += [plain(event) for event in result.events]
        if result.refused is not None:
            entries.append(result.refused.reason.encode())
        if result.filtered is not None:
            entries.append(result.filtered.encode())
    return entries


def places() -> list[tuple[int, str, int, int]]:
    """Segment, name of the place, element and component of all that the outbound example has."""
    entries = []
    for number, segment in enumerate(OUTBOUND):
        elements = [element.split(":") for element in segment.split("+")]
        tag = elements[0][0]
        name = f"{tag}+{elements[1][0]}" if tag in QUALIFIED else tag
        for element, components in enumerate(elements[1:], 1):
            numbers = range(1, len(components) + 1)
            entries += [(number, f"{name} {element}.{component}", element, component) for component in numbers]
    return entries


def changed(segments: list[str], number: int, element: int, component: int, value: str) -> list[str]:
    """The segments with another value at one place."""
    elements = [each.split(":") for each in segments[number].split("+")]
    elements[element][component - 1] = value
    return [*segments[:number], "+".join(":".join(each) for each in elements), *segments[number + 1 :]]


LAST = "DTM+232:2503150920:201"
"""The arrival abroad, and at the end of a leg at home: it counts on neither way."""
NAMED = [place for place in places() if place[1] in DUTIES and OUTBOUND[place[0]] != LAST]


@pytest.mark.parametrize(
    ("number", "name", "element", "component"), NAMED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_field_changes_an_event_or_is_ignored(number: int, name: str, element: int, component: int) -> None:
    """In the outbound example or in the inbound one, whose arrival is what happens."""
    value = OTHER.get(name, "ZZ9" if DUTIES[name] == "I" else "OTHER")
    differs = [says(changed(base, number, element, component, value)) != says(base) for base in (OUTBOUND, INBOUND)]
    assert any(differs) == (DUTIES[name] != "I")


def test_the_example_has_every_field_that_the_readme_names() -> None:
    assert set(DUTIES) == {place[1] for place in NAMED}
    assert set(OTHER) <= {name for name, duty in DUTIES.items() if duty != "I"}


def test_segments_and_elements_that_nobody_names_are_ignored() -> None:
    more = [*OUTBOUND[:20], "QTY+1:2", "RFF+CR:77", "LOC+999+XXX", "ATT+3++Q", "DTM+182:250101", *OUTBOUND[20:]]
    assert says(more) == says(OUTBOUND)


def test_the_example_of_the_readme_is_what_it_says() -> None:
    text = readme("apis")
    (example,) = re.findall(r"```\n(UNA.*?)```", text, re.S)
    (result,) = [each for each in decode_file(APIS, example.encode()) if isinstance(each.read, Record)]
    (event,) = result.events
    assert f"record `{event.record}`, part `{event.part}`, revision {event.revision.number}." in text
    assert reported(example.encode())["tolerated"] == {"blanks or line ends behind a segment": 29}


# --- what is tolerated is counted and told -----------------------------------------------------------------------


def reported(raw: bytes) -> dict[str, Any]:
    """The last note that tells of an interchange."""
    return [dict(read.fields) for read in Paxlst().read(BytesIO(raw)) if isinstance(read, Note)][-1]


def case(name: str) -> bytes:
    return (HERE / "apis" / "cases" / name / "input.edi").read_bytes()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("no-una", "no UNA"),
        ("empty-segments", "empty segment"),
        ("wrapped-lines", "line ends inside a segment"),
        ("blanks-behind-segments", "blanks or line ends behind a segment"),
        ("lines-of-an-envelope", "text outside the interchange"),
        ("wrong-counts", "a count, reference or trailer that is wrong"),
        ("no-unz", "a count, reference or trailer that is wrong"),
    ],
)
def test_what_is_tolerated_is_told(name: str, what: str) -> None:
    assert what in reported(case(name))["tolerated"]


def test_what_disagrees_is_told_one_by_one() -> None:
    assert reported(case("wrong-counts"))["told"] == [
        "message 1: CNT says 180, it has 2 travellers",
        "message 1: UNT says 929, there are 29",
        "UNE says 7, there are 1",
        "UNE has another reference than UNG",
        "UNZ says x, there are 1",
    ]


def test_a_clean_interchange_has_nothing_to_tell() -> None:
    note = reported(edi(OUTBOUND)[:-1])
    assert (note["tolerated"], note["told"], note["travellers"], note["messages"]) == ({}, [], 1, 1)


# --- bounded memory ----------------------------------------------------------------------------------------------


def large(size: int, *, garbage: bool) -> Iterator[bytes]:
    """An interchange of about that many bytes, never in memory as a whole."""
    yield edi([*HEAD.split("\n"), *OUT.split("\n")])[:-1]
    bags = "".join(f"FTX+BAG+++{'B' * 8000}'" for _ in range(7))
    one = (f"NAD+FL+++PERSON:A'RFF+ABO:1'{bags}" if not garbage else "N" * 50_000).encode()
    for _ in range(size // len(one)):
        yield one
    yield edi(TAIL.format(1).split("\n"))[9:]


@pytest.mark.parametrize("garbage", [False, True])
@pytest.mark.slow
def test_100_megabytes_in_one_message_are_read_in_little_memory(*, garbage: bool) -> None:
    tracemalloc.start()
    try:
        travellers = size = 0
        for read in Paxlst().read(cast(BinaryIO, Endless(large(100_000_000, garbage=garbage)))):
            travellers += isinstance(read, Record)
            size += len(read.raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 99_000_000
    assert (travellers > 1_700) == (not garbage)
    assert peak < 2_000_000, f"{peak} bytes"


@pytest.mark.parametrize("wrong", ["LOC+91+QQQ", "ATT+2++Q", "DTM+329:871332", "NAT+2+QQQ", "DOC+P+A!"])
def test_an_optional_value_that_is_wrong_costs_itself_and_is_told(wrong: str) -> None:
    one = ["NAD+FL+++PERSON:A", "RFF+ABO:1", "DOC+P+AA00001", wrong]
    (result,) = [
        each
        for each in decode_file(APIS, edi([*HEAD.split("\n"), *OUT.split("\n"), *one, *TAIL.format(1).split("\n")]))
        if isinstance(each.read, Record)
    ]
    assert len(result.events) == 1
    assert result.lost


# --- one bad traveller, wherever it stands, costs itself only -----------------------------------------------------

BAD = [
    "RFF+ABO:OTHER",
    "DOC+P+AA1'LOC+91+ESP'LOC+91+PRT",
    "LOC+178+JFK'LOC+178+BOS",
    "DTM+329:870523'DTM+329:870524",
    "ZZZ+1",
    "ATT+2++M'ATT+2++F",
    "FTX+\x07",
    "FTX+" + "X" * 9000,
]


@pytest.mark.law(2, "EDIFACT")
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)), st.sampled_from(BAD))))
def test_one_bad_traveller_costs_itself_only(drawn: tuple[int, set[int], str]) -> None:
    count, bad, wrong = drawn
    segments = [*HEAD.split("\n"), *OUT.split("\n")]
    for number in range(count):
        one = [f"NAD+FL+++PERSON:{number}", f"RFF+ABO:{number}", f"DOC+P+AA{number:05}", "LOC+91+ESP"]
        segments += one if number not in bad else [*one[:3], wrong]
    results = list(decode_file(APIS, edi([*segments, *TAIL.format(1).split("\n")])))
    judge(results)
    totals = Totals()
    for result in results:
        totals.add(result)
    assert (totals.read, totals.published, totals.refused) == (count, count - len(bad), len(bad))


# --- manifests in any order ---------------------------------------------------------------------------------------


def manifest(minute: int, reference: int, function: str) -> bytes:
    segments = [f"UNB+UNOA:4+BAW+CBP+250314:18{minute:02}+{reference}", *OUTBOUND[2:-2], f"UNZ+1+{reference}"]
    segments[2] = function
    return edi(segments)


def last_word(raws: list[bytes]) -> tuple[str, str]:
    """What stands when all were read: the highest revision of the record."""
    events = [event for raw in raws for result in decode_file(APIS, raw) for event in result.events]
    assert len({event.record for event in events}) == 1
    event = max(events, key=lambda event: (event.revision.number, event.revision.digest))
    return event.operation.value, getattr(event, "evidence", "").value


@pytest.mark.law(1, "manifest and close-out")
@given(st.permutations([(10, 1, "BGM+745"), (10, 2, "BGM+745+CP"), (59, 9, "BGM+266+CLOB")]))
def test_the_close_out_has_the_last_word_in_any_order(order: list[tuple[int, int, str]]) -> None:
    assert last_word([manifest(*each) for each in order]) == ("amend", "manifest_closed")


@given(st.permutations([(10, 1, "BGM+745"), (50, 9, "BGM+266+CLOB"), (50, 10, "BGM+266+CLNB")]))
def test_who_was_not_aboard_after_all_did_not_depart(order: list[tuple[int, int, str]]) -> None:
    assert last_word([manifest(*each) for each in order]) == ("retract", "manifest")


@pytest.mark.law(2, "a file of several interchanges, cut at any byte")
@pytest.mark.parametrize("marks", ["+:'", "*!~", "\x1d\x1f\x1c"])
def test_a_file_is_ended_where_its_last_interchange_is_closed(marks: str) -> None:
    """A file of several, cut anywhere; and a name is no closing segment."""
    text = "UNB+UNOA:4+BAW+CBP+250314:1815+7'UNH+1+PAXLST:D:05B:UN:IATA'NAD+FL+++KUNZ:UNZ'UNT+3+1'\r\nUNZ+1+7'\r\n"
    one = text.translate(str.maketrans("+:'", marks)).encode()
    whole = {one.strip(), (one + one).strip()}
    for cut in range(2 * len(one) + 1):
        data = (one + one)[:cut]
        assert (Paxlst().is_complete(BytesIO(data)) is Completeness.CLOSED) == (data.strip() in whole), data


@pytest.mark.law(3, "an interchange sent again")
def test_an_interchange_sent_again_changes_nothing() -> None:
    once, again = ([result.events for result in decode_file(APIS, edi(OUTBOUND), name="same")] for _ in range(2))
    assert once == again


@pytest.mark.law(8, "a manifest is no admission, and its silence no evidence")
def test_no_manifest_makes_an_arrival_or_vouches_for_anything() -> None:
    """The planted bug: an inbound manifest that admits."""

    def kinds(results: list[Decoded]) -> set[str]:
        return {event.kind for result in results for event in result.events}

    entries = set()
    for path in sorted((HERE / "apis" / "cases").glob("*/input.edi")):
        entries |= kinds(list(decode_file(APIS, path.read_bytes())))
    assert entries == {"departure", "status"}
