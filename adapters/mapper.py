"""A mapping put together from what only the system knows: keys, revisions, and what its records say.

An adapter gives `Mapper` small functions over `Fields`. The mapper makes the rest alike for all systems: id, envelope,
revision and its digest (of what was read and of nothing else), operation, coverage, marks of confidentiality, the
refusal with its record's key, and the check that no date lies behind the moment at which its record was made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from adapters import converters
from adapters.core import BadRecord, Changed, Closing, Filtered, Gone, Lost, Mapped, Note, Origin, Record
from adapters.fields import Converter, Fields
from schemas.confidential import marks_of_event
from schemas.events import AnyEvent, Coverage, Handling, Operation, Status, Subject
from schemas.identifiers import Identifier, InvalidIdentifier, Scheme, Spelling
from schemas.ids import digest, event_id_bytes
from schemas.moments import Moment

Envelope = dict[str, Any]
_SUBJECT: Callable[[object], Subject] = Subject.__pydantic_validator__.validate_python
NOTHING = Mapped()
"""What a note gives that vouches for nothing."""
_NUMBERED = frozenset({Scheme.A_NUMBER, Scheme.FIN, Scheme.I94, Scheme.PASSPORT})
_WITHHELD = re.compile(r"(?:\(?b\)?\s*\(\d\)(?:\(?[a-f]\)?)?[\s,;]*)+", re.IGNORECASE)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CLOCKS = timedelta(days=1)
"""How far two clocks, and the days of two zones, may lie apart."""


RECORDS = 10**7
"""More than a file has records: the file's number and the place in it make one number."""


@dataclass(frozen=True, slots=True)
class Says:
    """One event of a record: its model and the fields that the envelope does not have. `part` tells several apart."""

    model: type[AnyEvent]
    fields: Mapping[str, Any]
    part: str = ""


class Vouches(NamedTuple):
    """The source has told all there is in a scope. `number` is the revision, `recorded` when the source said so."""

    record: str
    number: int
    scope: str
    since: datetime
    through: datetime
    recorded: datetime


def _nothing(_: Any) -> None:
    return None


def _never(_: Fields) -> bool:
    return False


def _none(_: Any) -> Iterable[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class Mapper:
    """A feed's mapping. Every function raises ValueError for what it cannot read with certainty.

    `key`: what a record stays under through all corrections. `version`: a number that only grows. `says`: the events,
    or the rule that leaves the record out; `skips` names such a rule before anything else is read. `recorded`: the
    source's clock. `retracted`: whether the record takes back what it said. `amends`: whether it says less than it may,
    and leaves standing what it leaves out; so does a record of which a wrong value cost an event. `vouches`: what the
    end of a batch is complete for. `handling`: what the law makes confidential in it, beside classes and words that
    always do. `gone`: the events that take back a row which a whole extract no longer has, from the fields that were
    kept of it; without it, `says`. `taken_back`: of a record that a rule leaves out, the events that take back what an
    earlier version of it said; nothing where there can be no such version. `future`: how far behind the moment at which
    the record was made that which it tells may lie; None where a record may tell of any future.
    """

    key: Callable[[Fields], str]
    version: Callable[[Record], int]
    says: Callable[[Fields], Iterable[Says] | Filtered]
    recorded: Callable[[Fields], datetime | None] = _nothing
    retracted: Callable[[Fields], bool] = _never
    amends: Callable[[Fields], bool] = _never
    vouches: Callable[[Closing], Iterable[Vouches]] = _none
    skips: Callable[[Fields], str | None] = _nothing
    handling: Callable[[Fields], Iterable[Handling]] = _none
    gone: Callable[[Fields], Iterable[Says] | Filtered] | None = None
    taken_back: Callable[[Fields], Iterable[Says]] = _none
    future: timedelta | None = CLOCKS

    def __call__(self, entry: Record | Note, origin: Origin) -> Mapped | Filtered:
        """The events of a record, the coverage that a batch vouches for at its end. Raises BadRecord."""
        if isinstance(entry, Note):
            return self._vouched(entry, origin) if isinstance(entry, Closing) else NOTHING
        said = Fields(entry.fields)
        try:
            if isinstance(entry, Gone):
                return self._withdrawn(entry, said, origin)
            outcome = self._events(entry, said, origin, self.skips(said))
            if isinstance(outcome, Filtered):
                if isinstance(entry, Changed):  # it may have told something before
                    return self._withdrawn(entry, said, origin)
                return Filtered(outcome.rule, self.key_of(entry.fields))
            return outcome
        except ValueError as error:
            raise BadRecord(
                _reason(error), place=entry.place, raw=entry.raw, record=self.key_of(entry.fields)
            ) from None

    def key_of(self, fields: Mapping[str, Any]) -> str | None:
        """The key in what was read of a record, if it can be found: the rest may be anything."""
        try:
            return self.key(Fields(fields)) or None
        except (ValueError, LookupError, TypeError):  # a key function may rest on what a rule has not let through
            return None

    def _events(self, entry: Record, said: Fields, origin: Origin, rule: str | None) -> Mapped | Filtered:
        events = list(self.taken_back(said)) if rule is not None else []
        if rule is not None and not events:
            return Filtered(rule)
        key, number = self.key(said), self.version(entry)
        recorded = self.recorded(said)
        retracted = rule is not None or self.retracted(said)
        if rule is None:
            value = self.says(said)
            events = [] if isinstance(value, Filtered) else list(value)
            if not events and (wrong := next((lost for lost in said.lost if lost.event), None)) is not None:
                raise ValueError(wrong.reason)  # it would have said something: no rule leaves it out
            if isinstance(value, Filtered):
                retracted, events = True, list(self.taken_back(said))
                if not events:
                    return value
        handling = self._marks(said, events)
        content = said.digest()
        common = _envelope(entry, origin, key, number, content, recorded)
        if retracted:
            common["operation"] = Operation.RETRACT
        elif self.amends(said) or any(lost.event for lost in said.lost):
            common["operation"] = Operation.AMEND
        if handling:
            common["handling"] = handling
        made = None if recorded is None else _later(recorded, CLOCKS)
        result = []
        for one in events:
            plausible = self._plausible(one.fields, recorded, made, said)
            common["part"] = one.part
            common["id"] = event_id_bytes(origin.system, key, one.part, number, content, origin.mapping_version)
            # as `model_validate` does, without its options
            result.append(one.model.__pydantic_validator__.validate_python({**common, **plausible}))
        return Mapped(result, tuple(said.lost))

    def _withdrawn(self, entry: Gone | Changed, said: Fields, origin: Origin) -> Mapped | Filtered:
        """The retraction of all that a row said. What is wrong in it is no reason to leave that standing."""
        key, number = self.key(said), self.version(entry)
        try:
            rule = self.skips(said) if self.gone is None else None
            value = Filtered(rule) if rule else self.gone(said) if self.gone is not None else self.says(said)
            events = list(self.taken_back(said) if isinstance(value, Filtered) else value)
            if isinstance(value, Filtered) and isinstance(entry, Gone) and not events:
                return value
            handling = self._marks(said, events)
        except ValueError:
            events, handling = [], ()
        content = said.digest()
        common = _envelope(entry, origin, key, number, content, None)
        common |= {"operation": Operation.RETRACT, "handling": handling}
        results = []
        for one in events or [_nameless(origin.system, key)]:
            common["part"] = one.part
            common["id"] = event_id_bytes(origin.system, key, one.part, number, content, origin.mapping_version)
            results.append(one.model.model_validate({**common, **one.fields}))
        return Mapped(results)

    def _marks(self, said: Fields, events: Sequence[Says]) -> tuple[Handling, ...]:
        """What makes a record confidential: its system's own marks, and what in its events betrays it."""
        marks = set(self.handling(said))
        for one in events:
            marks.update(marks_of_event(one.fields))
        return tuple(sorted(marks)) if marks else ()

    def _plausible(
        self, fields: Mapping[str, Any], recorded: datetime | None, made: datetime | None, said: Fields
    ) -> Mapping[str, Any]:
        """The fields without optional dates behind the moment at which the record was made.

        Raises ValueError if that which the record tells lies behind it.
        """
        if recorded is None or made is None:
            return fields
        if self.future is not None:
            happened = fields["occurred_at"]
            if isinstance(happened, Moment) and _behind(happened, recorded, self.future):
                raise ValueError(f"it happened on {happened.local_day()}, after its record was made on {made.date()}")
        last = made.date().isoformat()
        subject = fields["subject"]
        if isinstance(subject, Subject) and subject.birth is not None and subject.birth > last[: len(subject.birth)]:
            said.lost.append(Lost("birth", f"a birth in {subject.birth[:4]}, after its record was made"))
            fields = {**fields, "subject": subject.model_copy(update={"birth": None})}
        filed = fields.get("filed_on")
        if filed is not None and filed > made.date():
            said.lost.append(Lost("filed_on", f"filed on {filed}, after its record was made"))
            fields = {**fields, "filed_on": None}
        return fields

    def _vouched(self, entry: Closing, origin: Origin) -> Mapped:
        events: list[AnyEvent] = []
        lost: list[Lost] = []
        try:
            for one in self.vouches(entry):
                if one.through > _later(one.recorded, CLOCKS):  # told; who reads it bounds it by the time of reading
                    lost.append(Lost("coverage", f"{one.scope} vouched for through {one.through}, which was to come"))
                said: Envelope = {"since": one.since, "through": one.through}
                period = said | {"made": one.recorded}
                content = digest(orjson.dumps(period, option=orjson.OPT_SORT_KEYS, default=str))
                said |= _envelope(entry, origin, one.record, one.number, content, one.recorded)
                said["id"] = event_id_bytes(origin.system, one.record, "", one.number, content, origin.mapping_version)
                said["scope"] = one.scope
                events.append(Coverage.__pydantic_validator__.validate_python(said))
        except ValueError as error:
            raise BadRecord(_reason(error), place=entry.place, raw=entry.raw) from None
        return Mapped(events, tuple(lost))


def by_sequence(field: str) -> Callable[[Record], int]:
    """The version of a record by the number of its file, a field of the header, and its place in the file."""

    def version(record: Record) -> int:
        if record.number >= RECORDS:
            raise ValueError(f"more than {RECORDS - 1} records in a batch")
        return int(record.header[field]) * RECORDS + record.number

    return version


def vouches_for_nothing(mapping: object) -> bool:
    """Whether a mapping is one that can give no coverage, whatever it reads."""
    return isinstance(mapping, Mapper) and mapping.vouches is _none


def marks_nothing(mapping: object) -> bool:
    """Whether a mapping certainly marks nothing of its own, beside classes and words that betray."""
    return isinstance(mapping, Mapper) and mapping.handling is _none


def vouching(scope: str) -> Callable[[Closing], Iterable[Vouches]]:
    """What the end of a poll is complete for, where the closing tells from when to when."""

    def vouches(closing: Closing) -> Iterable[Vouches]:
        said = Fields(closing.fields)
        since, through = said.need("since", converters.instant), said.need("through", converters.instant)
        record = f"coverage through {said['through']}"
        yield Vouches(record, int(through.timestamp()), scope, since, through, through)

    return vouches


def _nameless(system: str, key: str) -> Says:
    """What a retraction says of a row that cannot be read: which record it is, and of nobody whose."""
    number = {"scheme": Scheme.CASE, "issuer": system.replace("_", ""), "value": digest(key.encode()).upper()}
    fields = {"subject": {"identifiers": [number]}, "occurred_at": Moment.whole_day(date(1970, 1, 1))}
    return Says(Status, fields | {"fact": "encounter"}, "gone")


def _envelope(
    entry: Record | Note, origin: Origin, key: str, number: int, content: str, recorded: datetime | None
) -> Envelope:
    """What all events of a record have alike. `content` is the digest of what the record says."""
    return {
        "system": origin.system,
        "record": key,
        "place": entry.place[:200],
        "revision": {"number": number, "digest": content},
        "mapping_version": origin.mapping_version,
        "batch": origin.batch[:200],
        "recorded_at": recorded,
    }


def _later(at: datetime, by: timedelta) -> datetime:
    """Raises ValueError for a moment without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"a moment {at} without its zone")
    try:
        return at.astimezone(UTC) + by
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _behind(happened: Moment, recorded: datetime, by: timedelta) -> bool:
    if happened.at is not None:
        return happened.at > recorded and happened.at > _later(recorded, by)
    return happened.day is not None and happened.day > _later(recorded, by).date()


def _reason(error: ValueError) -> str:
    """Names the field and what is wrong, not the person: reasons go into logs and receipts."""
    if isinstance(error, InvalidIdentifier):
        what = error.without_value()
        return what if what == str(error) else f"an identifier {what}"
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"] if step != "revision")
    what = first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


# --- the person --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """An identifier: the field of its number, and the field of its issuer or the issuer itself.

    With `needed` a number that is none fails the record; else it costs itself. `number_as` and `issuer_as` read them.
    `digits`: so many it has at its source. Zeros before it, two at the most, that it lost as a number of some program
    are put back, and that is told.
    """

    scheme: Scheme
    number: str
    issuer: str | None = None  # a field
    issued_by: str = ""
    needed: bool = False
    digits: int = 0
    number_as: Converter[str] = converters.text
    issuer_as: Converter[str | None] = converters.text


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a record is about, by the names of its fields. `A/B` is the field B of the group A.

    Blank and absent are the same. Several fields of given names are joined; a single name stands in the family name.
    Birth, sex, citizenship and identifiers are optional values: one that is wrong costs itself.
    """

    family: str | None = None
    given: tuple[str, ...] = ()
    birth: str | None = None
    sex: str | None = None
    citizenship: str | None = None
    numbers: tuple[Number, ...] = ()
    birth_as: Converter[str | None] = converters.birth
    sex_as: Converter[str | None] = converters.sex
    citizenship_as: Converter[Any] = converters.nationality  # several as a tuple
    name_as: Callable[[str], str] = str  # of names that are not transmitted as they are meant

    def of(self, said: Fields, more: Sequence[Spelling] = ()) -> Subject:
        """The person, with further identifiers. Raises ValueError if nothing tells who it is."""
        before = len(said.lost)
        family = self.name_as(_name(said, self.family) or "") if self.family is not None else None
        unknown = len(said.lost) > before  # then the given name is no single one
        given = " ".join([self.name_as(name) for field in self.given if (name := _name(said, field))])
        if family:
            family = said.fitting(self.family or "", family)
        if given:
            given = said.fitting(self.given[0], given)
        citizenship: Any = _optional(said, self.citizenship, self.citizenship_as)
        by_name: dict[str, Any] = {
            "birth": _optional(said, self.birth, self.birth_as),
            "sex": _optional(said, self.sex, self.sex_as),
            "identifiers": [*(one for each in self.numbers if (one := _number(said, each)) is not None), *more],
        }
        if family or (given and not unknown):
            by_name["names"] = [{"family": family or given, "given": given if family else ""}]
        if citizenship:
            by_name["citizenship"] = citizenship if isinstance(citizenship, tuple) else (citizenship,)
        return _SUBJECT(by_name)


def is_withheld(text: str) -> bool:
    """Whether a text stands in a release for a value that was taken out of it: the exemptions of 5 U.S.C. 552(b), as
    ICE and USCIS write them (`(b)(6)`, `b(6), b(7)C`), or the word `null` of USCIS's releases.
    """
    return text == "null" or _WITHHELD.fullmatch(text) is not None


def _text(said: Fields, field: str) -> str | None:
    if "/" not in field:
        return said.text(field)
    at, name = said.within(field)
    return at.text(name) if at is not None else None


def _name(said: Fields, field: str) -> str | None:
    """A name, None if it is absent; what is no text, or cannot be read, costs itself."""
    at, name = said.within(field) if "/" in field else (said, field)
    if at is None:
        return None
    try:
        value = at.get(name)
    except ValueError:
        at.lose(name, f"{name} cannot be read")
        return None
    if value is None or isinstance(value, str):
        if value and value[0] in "(bBn" and is_withheld(value):
            at.lose(name, f"{name} is withheld, and no name")
            return None
        return value or None
    at.lose(name, f"{name} is no text")
    return None


def _optional(said: Fields, field: str | None, convert: Converter[str | None]) -> str | None:
    if field is None:
        return None
    if "/" not in field:
        return said.optional(field, convert)
    at, name = said.within(field)
    return at.optional(name, convert) if at is not None else None


def _filled(one: Spelling) -> Spelling:
    """The identifier. Raises InvalidIdentifier for zeros alone, which would make one person of all without a number."""
    if one["scheme"] in _NUMBERED and not one["value"].lstrip(_LETTERS).strip("0"):
        raise InvalidIdentifier(f"{one['value']!r} is not a {one['scheme'].value}: it has zeros alone")
    return one


def _number(said: Fields, of: Number) -> Spelling | None:
    """The identifier, None if it is absent, or wrong and not needed. Raises ValueError if it is wrong and needed."""
    if of.needed:
        try:
            return _filled(Identifier.spelled(of.scheme, _text(said, of.number) or "", of.issued_by))
        except InvalidIdentifier as error:
            raise ValueError(f"{of.number}: {error.without_value()}") from None
    number = _optional(said, of.number, of.number_as)
    if number and of.digits - 2 <= len(number) < of.digits and number.isascii() and number.isdecimal():
        said.lose(of.number, f"leading zeros of {of.number}, which were put back")
        number = number.zfill(of.digits)
    issuer = _optional(said, of.issuer, of.issuer_as) if of.issuer is not None else None
    if not number and not issuer:
        return None
    try:
        return _filled(Identifier.spelled(of.scheme, number or "", issuer or of.issued_by))
    except InvalidIdentifier as error:
        said.lost.append(Lost(of.number, f"{of.number}: {error.without_value()}"))
        return None
