"""The contract suite of a system: one line in `tests/systems/<system>/test_system.py` brings all that holds for any.

    TestName = contract_suite("NAME")

Cases stand in the folder `cases` beside it; a system of a further package names that folder. The suite has: every case
as expected; any bytes and any values give events or refusals; every byte is in one read; reading again gives the same
ids; one id has one body; kinds and identifiers are those that the system says it emits; every field of the interface
page changes an event or is ignored; events survive the codec; memory; `visabus decode`; the fuzz target; speed.
"""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from systems.cases import HERE, Case, plain, reported
from typer.testing import CliRunner

from adapters.core import Feed, Note, Origin, Read, Record, System, Unreadable
from adapters.decode import Decoded, Totals, decode, decode_file
from adapters.registry import package_of, systems
from schemas.codec import decode as parse
from schemas.codec import encode
from schemas.events import AnyEvent, Operation, PersonEvent, stamped
from services.authority.rights import rights_of

LEAST_CASES = 8
SLOWEST = 1_000
"""Reads a CPU second that the suite asks for, of whatever the cases hold; a benchmark measures."""
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
PACKED = b"PK"
_NAMELESS = re.compile(r"a name or an identifier|neither name nor identifier")
_DUTY = re.compile(r"[MOI]\b")


def content(event: AnyEvent) -> bytes:
    """What an id stands for."""
    body = event.model_dump(mode="json", exclude={"place", "batch", "published_at"})
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def judge(results: list[Decoded]) -> None:
    """The laws that hold whatever was read."""
    totals = Totals()
    bodies: dict[str, bytes] = {}
    for result in results:
        totals.add(result)
        assert not (result.refused and result.events)
        if isinstance(result.read, Record):
            assert result.events or result.refused or result.filtered, "a record that is not accounted for"
        elif isinstance(result.read, Note):
            assert result.refused is None, "a note is no record, so it cannot be refused"
        if result.refused is not None:
            assert result.refused.place
            assert result.refused.reason
        assert all(lost.name and lost.reason for lost in result.lost)
        for event in result.events:
            assert event.published_at is None, "only ingest stamps"
            assert bodies.setdefault(str(event.id), content(event)) == content(event), "one id, two contents"
    assert totals.read == totals.published + totals.refused + totals.filtered.total()


@st.composite
def mangled(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A known input with something wrong, or anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=1200))
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                del data[at : at + draw(st.integers(1, 300))]
            case 2:
                data[at:at] = draw(st.binary(max_size=40))
            case _:
                data[at : at + 8] = draw(
                    st.sampled_from([b"\x40" * 8, b"\xf0" * 8, b"\xf9" * 8, bytes(8), b"\xff" * 8])
                )
    return bytes(data)


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=15),
    st.sampled_from(
        ["A", "Y", "N", "D/S", "2025-02-30", "2025-08-20", "9999-12-31", "F", "ESP", "I-539", "\0", "é" * 300, "\ud800"]
    ),
    st.just([]),
    st.just({}),
)


OTHERS: dict[type, tuple[Any, ...]] = {
    str: ("X", "2025-01-02", "20250102"),
    int: (1, 20250102, 20250102030405),
    bool: (True, False),
}


def wild(value: Any, feed: Feed) -> st.SearchStrategy[Any]:
    """What may stand in place of a value: anything where nothing checks types, else what its format lets through."""
    if feed.format is None or getattr(feed.format, "anything", False):
        return VALUES
    if isinstance(value, str):
        return VALUES.filter(lambda each: isinstance(each, str))
    return st.integers(0, 10**17) if type(value) is int else st.just(value)


@dataclass(frozen=True)
class Target:
    """What the fuzzer is given: a system's cases to begin with, and the laws of any bytes."""

    system: System
    folder: Path

    def cases(self) -> list[Case]:
        """All, in order."""
        return [Case(path.parent) for path in sorted(self.folder.glob("*/input.*"))]

    def seeds(self) -> dict[str, bytes]:
        """The inputs of the cases."""
        return {case.folder.name: case.input() for case in self.cases()}

    def laws(self, data: bytes) -> None:
        """What holds for any bytes, of each feed. An uncaught error is a violation."""
        for feed in self.system.feeds:
            judge(list(decode_file(self.system, data, feed=feed.name)))
            if feed.format is not None:
                reads = list(feed.format.read(BytesIO(data)))
                assert sorted(b"".join(read.raw for read in reads)) == sorted(data), "bytes that are not accounted for"


def target(name: str, folder: Path | None = None) -> Target:
    """The fuzz target of a system."""
    return Target(systems()[name], folder or HERE / name.lower() / "cases")


# --- the walk over all fields ------------------------------------------------------------------------------------


def duties(page: str) -> dict[str, set[str]]:
    """Name to duties (M, O, I) in the field tables of an interface page: rows with a cell that begins with a duty."""
    by_name: dict[str, set[str]] = defaultdict(set)
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        marks = [cell for cell in cells[1:] if _DUTY.match(cell)]
        if marks:
            for name in re.findall(r"[@A-Za-z][\w:/@-]*", cells[0]):
                by_name[name_of(name.split("/"))] |= set(re.findall(r"\b[MOI]\b", marks[0]))
    return dict(by_name)


def name_of(path: list[str]) -> str:
    """What the interface page calls a field: the last step that says something."""
    steps = [step.rpartition(":")[2].lstrip("@") for step in path if step not in ("", "*")]
    said = [step for step in steps if step != "IdentificationID"]
    return said[-1] if said else ""


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Paths of values that hold no others."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list) or (
        isinstance(value, tuple) and value and all(isinstance(each, str) for each in value)
    ):
        for each in value:
            yield from leaves(each, (*path, "*"))
    else:
        yield path, value


def changed(value: Any, path: tuple[str, ...], old: Any, new: Any) -> Any:
    """The same with another value at a path."""
    if not path:
        return new if value == old else value
    if isinstance(value, Mapping):
        return {name: changed(each, path[1:], old, new) if name == path[0] else each for name, each in value.items()}
    return type(value)(changed(each, path[1:], old, new) for each in value)


def says(read: Read, feed: Feed, origin: Origin) -> Any:
    """What a record says, without what is derived from all of it."""
    result = decode(read, feed, origin)
    refused = None if result.refused is None else result.refused.reason
    return [plain(event) for event in result.events], refused, result.filtered, result.lost


def says_nothing(system: System, case: Case) -> bool:
    """Whether a case is a whole input without a record: of a system that vouches for nothing it expects nothing.

    Rows of a database have no format that would note the end of none of them.
    """
    reads = [result.read for result in decode_file(system, case.input(), feed=case.feed)]
    rows = system.feed(case.feed or system.feeds[0].name).format is None
    return (bool(reads) or rows) and all(isinstance(each, Note) for each in reads)


def matters(records: list[Record], feed: Feed, origin: Origin) -> tuple[set[str], set[str]]:
    """The names of fields that records have, and of those whose value changes what some record says."""
    values: dict[str, list[Any]] = defaultdict(list)
    places: dict[str, list[tuple[Record, tuple[str, ...], Any]]] = defaultdict(list)
    for record in records:
        for path, value in leaves(record.fields):
            name = name_of(list(path))
            places[name].append((record, path, value))
            if value not in values[name]:
                values[name].append(value)
    holds = {name_of(list(path[:end])) for at in places.values() for _, path, _ in at for end in range(1, len(path))}
    entries = set()
    for name, at in places.items():
        if name in holds:  # a group that is empty in some record
            continue
        for record, path, old in at[:80]:
            others = [each for each in (*values[name][:6], *OTHERS.get(type(old), ())) if type(each) is type(old)]
            others += [f"{old}Z", ""] if isinstance(old, str) else [None] if feed.format is None else []
            before = says(record, feed, origin)
            if any(
                says(replace(record, fields=changed(record.fields, path, old, new)), feed, origin) != before
                for new in others
                if new != old
            ):
                entries.add(name)
                break
    return set(places) - holds, entries


# --- optional values ---------------------------------------------------------------------------------------------


def optional_values(record: Record, page: str) -> list[tuple[str, tuple[str, ...], Any]]:
    """Name, path and value of what the page calls optional and no more, as far as the record has it."""
    duty, deciding = duties(page), set()
    for line in page.splitlines():
        if line.startswith("|") and re.search(r"\| *O \((decides|text)\)", line):
            deciding |= {name_of(each.split("/")) for each in re.findall(r"[@A-Za-z][\w:/@-]*", line.split("|")[1])}
    return [
        (name, path, value)
        for path, value in leaves(record.fields)
        if duty.get(name := name_of(list(path))) == {"O"} and name not in deciding and is_readable(value)
    ]


def is_readable(value: Any) -> bool:
    return value is not None and value != "" and not isinstance(value, Unreadable)


def replaced(record: Record, path: tuple[str, ...], old: Any, new: Any) -> Record:
    return replace(record, fields=changed(record.fields, path, old, new))


def is_free(feed: Feed) -> bool:
    """Whether a value may be of any type."""
    return feed.format is None or getattr(feed.format, "anything", False)


def absent(value: Any, feed: Feed) -> tuple[Any, ...]:
    """What stands where a value is absent; nothing where the format has no word for it."""
    return ("", None)[: 1 + is_free(feed)] if isinstance(value, str) else (None,) if is_free(feed) else ()


def wrong(value: Any, path: tuple[str, ...], feed: Feed) -> tuple[Any, ...]:
    """What is none of the values that a field can have, as far as the format lets it through."""
    of_type = {str: ("?!", "\0wrong", "99"), bool: (7,), int: (-7,)}.get(type(value), ())
    if not is_free(feed) or "*" in path:
        return of_type
    return (*of_type, Unreadable(f"{path[-1]} cannot be read"), "?!")


# --- the suite ---------------------------------------------------------------------------------------------------


def contract_suite(name: str, folder: Path | None = None) -> type:
    """The tests of a system, as a class to be found by pytest; `folder` has its cases."""
    aim = target(name, folder)
    system, known = aim.system, aim.cases()
    inputs = [case.input() for case in known]
    page = files(package_of(name)).joinpath("README.md").read_text()

    def results(feed: str | None = None) -> list[Decoded]:
        """Of all cases, or of those of a feed."""
        some = [case for case in known if feed is None or system.feed(case.feed or system.feeds[0].name).name == feed]
        return [result for case in some for result in decode_file(system, case.input(), feed=case.feed)]

    @cache
    def records(feed: str) -> list[Record]:
        return [result.read for result in results(feed) if isinstance(result.read, Record)]

    class Suite:
        """All that holds for any system."""

        @pytest.mark.parametrize("case", known, ids=lambda case: case.folder.name)
        def test_a_case_gives_what_is_expected(self, case: Case) -> None:
            events, errors = reported(case, system)
            assert events == case.expected("expected.json")
            assert errors == case.expected("expected.err")
            assert events or errors or says_nothing(system, case), (
                "nothing is expected of an input that is not empty: run tests/systems/regenerate.py --expected"
            )

        def test_there_are_enough_cases(self) -> None:
            assert len(known) >= LEAST_CASES
            assert any(case.expected("expected.json") for case in known), "a case that gives events"
            assert any(case.expected("expected.err") for case in known), "a case that is refused"

        @QUICK
        @given(st.data())
        def test_any_bytes_give_events_or_refusals(self, data: st.DataObject) -> None:
            aim.laws(data.draw(mangled(inputs)))

        @QUICK
        @given(st.data())
        def test_any_values_give_events_or_a_refusal(self, data: st.DataObject) -> None:
            """Fields of records replaced by anything, whatever the format would let through."""
            feed = data.draw(st.sampled_from([feed for feed in system.feeds if records(feed.name)]))
            record = data.draw(st.sampled_from(records(feed.name)))
            paths = [path for path, _ in leaves(record.fields) if path != ("@element",)]
            fields: Any = record.fields
            for path in data.draw(st.lists(st.sampled_from(paths), max_size=4)):
                at = dict(leaves(fields)).get(path)
                fields = changed(fields, path, at, data.draw(wild(at, feed)))
            origin = Origin(system.name, feed.name, "b", system.mapping_version)
            judge([decode(replace(record, fields=fields), feed, origin)])

        def test_reading_again_gives_the_same_ids_and_contents(self) -> None:
            for case in known:
                both = [
                    decode_file(system, case.input(), name=batch, feed=case.feed) for batch in ("one name", "another")
                ]
                once, again = (
                    [(event.id, content(event)) for result in outcome for event in result.events] for outcome in both
                )
                assert once == again

        def test_one_id_has_one_body(self) -> None:
            """Over all cases: what differs in content differs in id."""
            bodies: dict[str, bytes] = {}
            for result in results():
                for event in result.events:
                    assert bodies.setdefault(str(event.id), content(event)) == content(event)

        def test_it_emits_what_it_says(self) -> None:
            events = [event for result in results() for event in result.events]
            people = [event for event in events if isinstance(event, PersonEvent)]
            assert {event.kind for event in events} - {"coverage"} == set(system.emits)
            schemes = {each.scheme.value for event in people for each in event.subject.identifiers}
            assert schemes == set(system.identifiers)

        def test_it_may_say_all_that_it_says(self) -> None:
            rights = rights_of(system)
            for result in results():
                for event in result.events:
                    rights.check(event)

        def test_it_declares_no_more_than_its_folder_names(self) -> None:
            """A fact, or evidence, that stands nowhere in the folder is a right that nothing uses."""
            folder = files(package_of(system.name))
            text = " ".join(path.read_bytes().decode(errors="replace") for path in folder.iterdir() if path.is_file())
            text += " ".join(str(case.expected("expected.json")) for case in known)
            assert not [word for word in (*(system.facts or ()), *filter(None, [system.evidence])) if word not in text]

        def test_events_survive_the_codec(self) -> None:
            for result in results():
                for event in result.events:
                    whole = stamped(event, datetime(2025, 1, 1, tzinfo=UTC))
                    assert parse(encode(whole)) == whole

        def test_every_field_of_the_page_changes_an_event_or_is_ignored(self) -> None:
            duty = duties(page)
            there: set[str] = set()
            changing: set[str] = set()
            listed: set[str] = set()
            for feed in system.feeds:
                missing = [each for each in feed.field_names() if name_of([each]) not in duty]
                assert not missing, "fields of the format that the interface page does not have"
                origin = Origin(system.name, feed.name, "b", system.mapping_version)
                present, counting = matters(records(feed.name), feed, origin)
                there |= present
                changing |= counting
                listed |= {name_of([each]) for each in feed.field_names()} or set(duty)
            ignored = {each for each, marks in duty.items() if marks == {"I"}}
            assert not changing & ignored, "ignored by the page, and yet read"
            read = {each for each, marks in duty.items() if "I" not in marks} & listed
            assert not (read & there) - changing, "on the page, and yet no event changes with it"

        def test_a_wrong_optional_value_costs_itself(self) -> None:
            """What a record says where a value is absent it says where the value is wrong, and the loss is told."""
            for feed in system.feeds:
                origin = Origin(system.name, feed.name, "b", system.mapping_version)
                for record in records(feed.name):
                    for name, path, value in optional_values(record, page):
                        without = [
                            decode(replaced(record, path, value, new), feed, origin) for new in absent(value, feed)
                        ]
                        least = min((len(each.events) for each in without if each.events), default=0)
                        if any(each.events and each.events[0].operation is Operation.RETRACT for each in without):
                            continue  # its absence takes the record back
                        for new in wrong(value, path, feed) if least else ():
                            result = decode(replaced(record, path, value, new), feed, origin)
                            if result.refused is not None and _NAMELESS.search(result.refused.reason):
                                continue  # what is left of a name is none, and nothing else tells who it is
                            what = f"{record.place}: {name} {new!r}"
                            assert result.refused is None, f"{what} refuses the record: {result.refused}"
                            assert result.filtered or len(result.events) >= least, f"{what} costs an event"
                            fewer = len(result.events) < len(decode(record, feed, origin).events)
                            assert not fewer or result.filtered or result.lost, f"{what} costs an event in silence"

        def test_decode_tells_it_at_the_command_line(self, tmp_path: Path) -> None:
            from services.cli import app

            case = next(case for case in known if case.expected("expected.json") and case.feed is None)
            path = tmp_path / "input"
            path.write_bytes(case.input())
            done = CliRunner().invoke(app, ["decode", name, str(path), "--refused"])
            assert done.exit_code in (0, 1), done.output
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"id"')]
            assert len(lines) == len(json.loads(case.expected("expected.json")))

        def test_the_fuzz_target_holds_for_its_seeds(self) -> None:
            for data in aim.seeds().values():
                aim.laws(data)

        @pytest.mark.slow
        def test_memory_is_bounded(self) -> None:
            for case in known:
                raw = case.input()
                tracemalloc.start()
                try:
                    for _ in decode_file(system, raw, feed=case.feed):
                        pass
                    _, peak = tracemalloc.get_traced_memory()
                finally:
                    tracemalloc.stop()
                assert peak < 8_000_000 + 40 * len(raw), f"{peak} bytes for an input of {len(raw)}"

        @pytest.mark.slow
        def test_it_is_not_slow(self) -> None:
            def speed() -> float:
                reads, begin = 0, time.process_time()
                while time.process_time() - begin < 0.2:
                    reads += len(results())
                return reads / (time.process_time() - begin)

            # other processes make CPU time dearer: one round in ten is enough
            assert any(speed() > SLOWEST for _ in range(10))

    return Suite
