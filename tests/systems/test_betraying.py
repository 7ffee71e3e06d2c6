"""What betrays asylum, a victim or TPS is marked by law, whichever interface tells it and however it is spelt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from systems.cases import cases
from systems.contract import leaves, replaced

from adapters.core import Origin, Record, System
from adapters.decode import decode, decode_file
from adapters.registry import systems
from schemas.events import AnyEvent

CLASSES = ("T1", "T-1", "U1", "U-3", "ST6", "SU6", "B31", "IB1", "AS6", "RE1", "TPS", "VAWA")
FORMS = ("I-589", "I730", "I-590", "I-914", "I-918A", "I 918", "I-929", "I-360", "I-821")
PERMITS = ("C08", "A05", "A03", "A12", "C19", "A16", "C25", "A19", "A20", "C31")
WORDS = ("T visa", "U nonimmigrant", "VAWA", "ASYLEE", "refugee", "credible fear", "Temporary Protected Status")
TELLING = {
    **dict.fromkeys(CLASSES, ("class_of_admission", "requested_class", "granted_class")),
    **dict.fromkeys(FORMS, ("form", "reason")),
    **dict.fromkeys(WORDS, ("reason",)),
}
"""Values, and in which fields of an event each betrays: T1 is also a terminal."""
MOST = 12
"""Records of a system that are changed value by value."""


def records(system: System) -> Iterator[tuple[str, Record]]:
    """Those of the cases, by feed."""
    for feed in system.feeds:
        for case in cases():
            if case.system != system.name or (case.feed or system.feeds[0].name) != feed.name:
                continue
            for result in decode_file(system, case.input(), name=case.folder.name, feed=case.feed):
                if isinstance(result.read, Record) and result.events:
                    yield feed.name, result.read


def betraying(system: System) -> Iterator[tuple[str, AnyEvent]]:
    """Events in whose fields a value stands that betrays, and that are not marked."""
    every = list(records(system))
    assert every
    for name, record in every[:: 1 + len(every) // MOST]:
        feed = system.feed(name)
        origin = Origin(system.name, name, "b", system.mapping_version)
        for path, old in leaves(record.fields):
            if not isinstance(old, str):
                continue
            for value, fields in TELLING.items():
                try:
                    result = decode(replaced(record, path, old, value), feed, origin)
                except KeyError:
                    continue  # the format's own word for the kind of record: it reads no other
                for event in result.events:
                    texts = {str(getattr(event, field, None) or "").upper().replace("-", "") for field in fields}
                    if value.upper().replace("-", "") in texts and not event.handling:
                        yield f"{'/'.join(path)} {value}", event


@pytest.mark.parametrize("name", sorted(systems()))
@pytest.mark.law(8, "what betrays asylum, a victim or TPS is marked, whichever system tells it")
def test_no_event_betrays_without_a_mark(name: str) -> None:
    assert not list(betraying(systems()[name]))


@pytest.mark.law(8, planted="a mapper that adds no marks of its own: classes that betray go unmarked")
def test_a_mapper_that_marks_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mapper.marks_of_event", lambda fields: ())
    assert list(betraying(systems()["I94"]))
    assert list(betraying(systems()["CLAIMS3"]))


FIELDS = [
    ("EDMS", "form_number", FORMS),
    ("CPMS", "formType", FORMS),
    ("ELIS", "formType", FORMS),
    ("PCQS", "FormType", FORMS),
    ("PCQS", "RequestedClass", CLASSES),
    ("PCQS", "GrantedClass", CLASSES),
    ("CIS", "CLASS-OF-ADMISSION", CLASSES),
    ("CIS", "EAD-CATEGORY", (*PERMITS, "C8", "(c)(8)")),
    ("SAVE", "NonCitCoaCode", CLASSES),
    ("SAVE", "NonCitProvOfLaw", (*PERMITS, "C8", "c08", "(c)(31)")),
    ("SAVE", "EligStatementTxt", WORDS),
]


@pytest.mark.parametrize(("name", "field", "values"), FIELDS, ids=[f"{name} {field}" for name, field, _ in FIELDS])
@pytest.mark.law(8, "a form, a class or a permit that is read and not told marks the record too")
def test_a_field_that_betrays_marks_its_record(name: str, field: str, values: tuple[str, ...]) -> None:
    system, tried = systems()[name], set()
    for feed, record in records(system):
        origin = Origin(system.name, feed, "b", system.mapping_version)
        for path, old in leaves(record.fields):
            if field not in path or not isinstance(old, str):
                continue
            for value in values:
                result = decode(replaced(record, path, old, value), system.feed(feed), origin)
                for event in result.events:
                    assert event.handling, f"{value} in {event.kind} {event.place}"
                if result.events or result.filtered is not None:
                    tried.add(value)
    assert tried == set(values)


@pytest.mark.law(8, "all that RAPS tells of persons is marked")
def test_all_of_a_system_marked_by_law_is_marked() -> None:
    for system in systems().values():
        for case in cases():
            if system.marks and case.system == system.name:
                for result in decode_file(system, case.input(), name=case.folder.name, feed=case.feed):
                    people = [event for event in result.events if event.kind != "coverage"]
                    assert all(set(system.marks) <= set(event.handling) for event in people)
