"""What correlation needs of an event, compact: decoded once, kept in a pool's history, never changed.

The canonical models of `schemas.events` guard the doors. Behind them, where every microsecond is paid for each event,
the same bytes are read by msgspec into `Fact`; a test holds the two readings together. What no model takes is refused
here too, as far as anything is made of it: one event that came past the doors must not stop all others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from schemas.codec import Undecodable
from schemas.codec import decode as decode_canonical
from schemas.codec import encode as encode_canonical
from schemas.confidential import CLASSES, FACTS
from schemas.events import SCHEMA_VERSION, Evidence
from schemas.events import Fact as StatusFact
from schemas.identifiers import Scheme, canonical, text_of
from schemas.ids import handle_of
from schemas.moments import end_of, midnight, zone
from services.domain.numbers import is_placeholder

T = TypeVar("T", str, tuple[str, str])
MICRO = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Claim(msgspec.Struct, array_like=True, frozen=True, gc=False, cache_hash=True):
    """A distinct statement about a person, spelt one way: identifier texts and names sorted.

    Numbers of one stay or one application are no part of it, or a commuter would make a claim with every crossing.
    Only where nothing else identifies the person do they stand in, or namesakes would be one from the start.
    """

    names: tuple[tuple[str, str], ...]  # (family, given), upper case
    birth: str  # "1980-02-03", "1980-02", "1980" or ""
    sex: str
    citizenship: tuple[str, ...]
    identifiers: tuple[str, ...]  # `Identifier.text`


BY_LAW = {fact: mark.value for fact, mark in FACTS.items()}
"""Facts that are confidential whether their source marks them or not: 8 CFR 208.6, 244.16."""
BY_CLASS = {admitted: mark.value for admitted, mark in CLASSES.items()}
"""Classes that betray what is confidential, on whatever record they stand."""
_SCHEMES = {scheme.value: scheme for scheme in Scheme}
BEYOND = 4 * 86_400
"""Seconds by which a departure may lie after its own record was made: manifests go ahead of the flight. Beyond them the
date is impossible, and the fact says so (`after_its_record`)."""
BEYOND_KNOWING = 366 * 86_400
"""The same for a record without its source's clock, against the moment of knowing, which a replay may set freely."""
NUMBERS = frozenset({"i94", "receipt", "booking", "case", "subject", "esta", "visa_application"})
"""Schemes of numbers that name a stay, an application, a journey or a case, and through it a person."""


class Fact(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One event as one copy of it told; of several copies the least (known, copy) stands."""

    id: bytes  # 16 bytes
    kind: str
    retract: bool
    system: str
    record: str
    part: str
    number: int
    digest: str
    mapping: int
    known: int  # microseconds since 1970
    copy: str  # batch and place of this copy
    start: int  # seconds since 1970: earliest instant it may have happened; 0 for control events
    day: int  # proleptic ordinal of the local day
    whole_day: bool
    zone: str
    origin: tuple[str, str] | None
    handling: tuple[str, ...]
    claim: Claim | None
    numbers: tuple[str, ...]  # numbers that the claim leaves out
    body: dict[str, Any]  # what the kind adds, as canonical JSON values; `after_its_record`: see BEYOND
    amends: bool = False  # whether it says less than its record: what it leaves out stands
    version_claims: tuple[
        Claim, ...
    ] = ()  # where amendments made a claim that no version has: those that the versions have

    @property
    def handle(self) -> bytes:
        """The record's handle, 16 bytes."""
        return handle_of(self.system, self.record)

    @property
    def version(self) -> tuple[int, str, int]:
        """Orders the versions of a record: the highest replaces whole what lower ones said."""
        return (self.number, self.digest, self.mapping)

    @property
    def uuid(self) -> str:
        """The event id as text."""
        text = self.id.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Everything that the record calls the person by."""
        return (*self.claim.identifiers, *self.numbers) if self.claim else ()


class _Revision(msgspec.Struct, gc=False):
    number: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    digest: str


class _Moment(msgspec.Struct, gc=False):
    precision: Literal["instant", "minute", "day"]
    zone: str = "UTC"
    at: datetime | None = None
    day: date | None = None


class _Name(msgspec.Struct, gc=False):
    family: str = ""
    given: str = ""


class _Identifier(msgspec.Struct, gc=False):
    scheme: str
    issuer: str
    value: str


class _Subject(msgspec.Struct, gc=False):
    names: list[_Name] = []
    birth: str | None = None
    sex: Literal["F", "M", "X"] | None = None
    citizenship: list[str] = []
    identifiers: list[_Identifier] = []


class _Ref(msgspec.Struct, gc=False):
    system: str
    record: str


class _Versioned(msgspec.Struct, gc=False):
    schema_version: int


class Wire(msgspec.Struct, gc=False):
    """An event as it is written, in the present version; its fields are those of `schemas.events`."""

    id: str
    kind: Literal["arrival", "departure", "extension", "status", "coverage", "decision"]
    schema_version: int
    system: str
    record: str
    place: str
    revision: _Revision
    mapping_version: Annotated[int, Meta(ge=1, lt=2**31)]
    batch: str
    published_at: datetime
    recorded_at: datetime | None = None
    operation: Literal["assert", "amend", "retract"] = "assert"
    part: str = ""
    occurred_at: _Moment | None = None
    subject: _Subject | None = None
    origin: _Ref | None = None
    handling: list[Literal["asylum", "protected", "tps"]] = []
    port: str | None = None
    mode: Literal["air", "sea", "land"] | None = None
    carrier: str | None = None
    conveyance: str | None = None
    inspection: Literal["admitted", "paroled", "refused", "withdrawn"] = "admitted"
    class_of_admission: str | None = None
    admitted_until: str | None = None
    evidence: str | None = None  # the longer lists are looked up below
    receipt: str | None = None
    form: str | None = None
    asks: Literal["extend", "change_class", "adjust"] | None = None
    action: Literal["filed", "approved", "denied", "withdrawn", "appealed"] | None = None
    filed_on: str | None = None
    requested_class: str | None = None
    requested_until: str | None = None
    granted_class: str | None = None
    granted_until: str | None = None
    valid_from: str | None = None
    filed_on_paper: bool | None = None
    fact: str | None = None
    until: str | None = None
    reason: str | None = None
    scope: str | None = None
    since: datetime | None = None
    through: datetime | None = None
    one: _Ref | None = None
    other: _Ref | None = None
    same: bool | None = None
    by: str | None = None
    why: str | None = None


_BODY: dict[str, tuple[str, ...]] = {
    "arrival": ("port", "mode", "carrier", "conveyance", "inspection", "class_of_admission", "admitted_until"),
    "departure": ("port", "mode", "carrier", "conveyance", "evidence"),
    "extension": (
        "receipt",
        "form",
        "asks",
        "action",
        "filed_on",
        "requested_class",
        "requested_until",
        "granted_class",
        "granted_until",
        "valid_from",
        "filed_on_paper",
    ),
    "status": ("fact", "class_of_admission", "until", "reason", "port", "mode", "carrier", "conveyance"),
    "coverage": ("scope",),
    "decision": ("same", "by", "why"),
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "arrival": (),
    "departure": ("evidence",),
    "extension": ("receipt", "form", "asks", "action"),
    "status": ("fact",),
    "coverage": ("scope",),
    "decision": ("same", "by", "why"),
}
"""Of these, what no event of the kind is without."""
_WORDS = {"evidence": frozenset(map(str, Evidence)), "fact": frozenset(map(str, StatusFact))}
_DAYS: dict[str, tuple[str, ...]] = {
    "arrival": ("admitted_until",),
    "extension": ("requested_until", "granted_until", "filed_on", "valid_from"),
    "status": ("until",),
}
_NEVER_OPEN = frozenset({"filed_on", "valid_from"})
_decoder = msgspec.json.Decoder(Wire)
_version = msgspec.json.Decoder(_Versioned)
_packer = msgspec.msgpack.Encoder()
_KEY = blake2b(digest_size=8)


def fact_of(data: bytes, judge: Callable[[Wire], None] | None = None) -> Fact:
    """The fact in an event's bytes, if `judge` raises no ValueError. Raises schemas.codec.Undecodable."""
    try:
        wire = _wire(data)
        if judge is not None:
            judge(wire)
        return _fact(wire)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, Undecodable):
            raise
        raise Undecodable(str(error)) from None


def _wire(data: bytes) -> Wire:
    """The event in the present version; older ones go the long way through the models."""
    try:
        wire = _decoder.decode(data)
        if wire.schema_version == SCHEMA_VERSION:
            return wire
    except msgspec.ValidationError:
        # an older version may not even have the present one's shape
        if _version.decode(data).schema_version == SCHEMA_VERSION:
            raise
    return _decoder.decode(encode_canonical(decode_canonical(data)))


def _fact(wire: Wire) -> Fact:
    body = {name: value for name in _BODY[wire.kind] if (value := getattr(wire, name)) is not None}
    _check(wire.kind, body)
    if wire.kind == "coverage":
        body["since"], body["through"] = _micros(_need(wire.since)), _micros(_need(wire.through))
        if body["through"] < body["since"]:
            raise Undecodable("coverage runs backwards")
    elif wire.kind == "decision":
        one, other = _need(wire.one), _need(wire.other)
        body["one"], body["other"] = [one.system, one.record], [other.system, other.record]
        if body["one"] == body["other"]:
            raise Undecodable("a decision is about two records")
    if wire.recorded_at is not None and (wire.fact or "").startswith("sevis_"):
        body["recorded_at"] = _micros(wire.recorded_at)  # settles which of several records of one day came last
    start, day, whole, zone_name = 0, 0, False, "UTC"
    claim: Claim | None = None
    numbers: tuple[str, ...] = ()
    if wire.kind not in ("coverage", "decision"):
        start, day, whole, zone_name = _placed(_need(wire.occurred_at))
        claim, numbers = claim_of(_need(wire.subject))
    if wire.kind == "departure" and wire.evidence != "booking":
        recorded = wire.recorded_at
        limit = BEYOND_KNOWING if recorded is None else BEYOND
        if start > _micros(wire.published_at if recorded is None else recorded) // MICRO + limit:
            body["after_its_record"] = True
    return Fact(
        _sixteen(wire.id),
        wire.kind,
        wire.operation == "retract",
        wire.system,
        wire.record,
        wire.part,
        wire.revision.number,
        wire.revision.digest,
        wire.mapping_version,
        _micros(wire.published_at),
        f"{wire.batch}\n{wire.place}",
        start,
        day,
        whole,
        zone_name,
        None if wire.origin is None else (wire.origin.system, wire.origin.record),
        _marks(wire),
        claim,
        numbers,
        body,
        wire.operation == "amend" and claim is not None,
    )


def _marks(wire: Wire) -> tuple[str, ...]:
    """The marks that an event has, with those that the law puts on its fact and its classes."""
    marks = {*wire.handling, BY_LAW.get(wire.fact or "", "")}
    for named in (wire.class_of_admission, wire.requested_class, wire.granted_class):
        if named is not None:
            marks.add(BY_CLASS.get(named, ""))
    marks.discard("")
    return tuple(sorted(marks)) if marks else ()


def _check(kind: str, body: dict[str, Any]) -> None:
    """What the rules will look for is there, and is of the kind that they take it for. Raises ValueError."""
    for name in _NEEDED[kind]:
        if name not in body:
            raise Undecodable(f"{name}: missing")
        if name in _WORDS and body[name] not in _WORDS[name]:
            raise Undecodable(f"{name}: none of the words listed for it")
    for name in _DAYS.get(kind, ()):
        if name in body and (body[name] != "D/S" or name in _NEVER_OPEN):
            _a_day(body[name])


@lru_cache(maxsize=65_536)
def _a_day(text: str) -> None:
    """Raises ValueError where it is none, or is spelt otherwise than the models write it."""
    if date.fromisoformat(text).isoformat() != text:
        raise Undecodable("a day is written YYYY-MM-DD")


@lru_cache(maxsize=65_536)
def _a_birth(text: str) -> None:
    """A day, or as much of it as is known. Raises ValueError."""
    if len(text) not in (4, 7, 10):
        raise Undecodable("birth: neither a day nor a month nor a year")
    _a_day((text + "-01-01")[:10])


def _sixteen(text: str) -> bytes:
    event_id = bytes.fromhex(text.replace("-", ""))
    if len(event_id) != 16:
        raise Undecodable("id: no UUID")
    return event_id


def _need(value: Any) -> Any:
    if value is None:
        raise Undecodable("a field that this kind of event needs is missing")
    return value


def _micros(at: datetime) -> int:
    if at.tzinfo is None:
        raise Undecodable("an instant needs its offset")
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * MICRO + since.microseconds


def _placed(moment: _Moment) -> tuple[int, int, bool, str]:
    if moment.day is not None:
        return int(midnight(moment.day, moment.zone).timestamp()), moment.day.toordinal(), True, moment.zone
    at = _need(moment.at)
    seconds = _micros(at) // MICRO
    return seconds, _local_day(seconds, moment.zone), False, moment.zone


def _local_day(seconds: int, zone_name: str) -> int:
    return datetime.fromtimestamp(seconds, zone(zone_name)).toordinal()


def wall_clock(fact: Fact, zone_name: str) -> int:
    """The second at which clocks in a zone show what they showed where it happened: the same day in any zone."""
    if fact.zone == zone_name:
        return fact.start
    if fact.whole_day:
        return end_of_day(fact.day - 1, zone_name)
    local = datetime.fromtimestamp(fact.start, zone(fact.zone)).replace(tzinfo=None)
    return int(local.replace(tzinfo=zone(zone_name)).timestamp())


@lru_cache(maxsize=65_536)
def end_of_day(day: int, zone_name: str) -> int:
    """The second at which a local day (ordinal) is over."""
    return int(end_of(date.fromordinal(day), zone_name).timestamp())


def claim_of(subject: _Subject) -> tuple[Claim, tuple[str, ...]]:
    """The subject as a claim and the numbers it leaves out: upper case, blanks single, sets sorted: one spelling."""
    documents: list[str] = []
    numbers: list[str] = []
    if not subject.names and not subject.identifiers:
        raise Undecodable("a subject has a name or an identifier")
    if subject.birth is not None:
        _a_birth(subject.birth)
    identified = False
    for one in subject.identifiers:
        text, number, made_up = _identifier(one.scheme, one.issuer, one.value)
        if number:
            numbers.append(text)
        else:
            documents.append(text)
            identified = identified or not made_up  # a made-up number identifies no one
    left_out = _in_order(numbers) if identified else ()
    names = subject.names
    claim = Claim(
        ((_spell(names[0].family), _spell(names[0].given)),)
        if len(names) == 1  # as most have
        else _in_order([(_spell(name.family), _spell(name.given)) for name in names]),
        subject.birth or "",
        subject.sex or "",
        _in_order(subject.citizenship),
        _in_order(documents if identified else documents + numbers),
    )
    return claim, left_out


@lru_cache(maxsize=65_536)
def _identifier(scheme: str, issuer: str, value: str) -> tuple[str, bool, bool]:
    """Its text, whether it is one of `NUMBERS`, and whether it was made up. Raises Undecodable.

    A person's records, which come close together, tell the same again and again.
    """
    if scheme not in _SCHEMES or not canonical(_SCHEMES[scheme], issuer, value):
        raise Undecodable("identifiers: not in canonical form")
    text = text_of(_SCHEMES[scheme], issuer, value)
    return text, scheme in NUMBERS, is_placeholder(text)


def _in_order(some: list[T]) -> tuple[T, ...]:
    """Each once, sorted; most lists hold one."""
    return tuple(some) if len(some) < 2 else tuple(sorted(set(some)))


@lru_cache(maxsize=65_536)
def _spell(name: str) -> str:
    return " ".join(name.upper().split())


def key_hash(text: str) -> int:
    """A signed 64-bit key. A collision only makes a pool too wide."""
    return _key(text.encode())


def claim_key(claim: Claim) -> int:
    """The key of a claim: the hash of its packed form."""
    return _key(_packer.encode(claim))


def _key(data: bytes) -> int:
    hashed = _KEY.copy()  # in half the time of making one
    hashed.update(data)
    return int.from_bytes(hashed.digest(), "big", signed=True)


def handle_key(record_handle: bytes) -> int:
    """The 64-bit key of a record handle."""
    return int.from_bytes(record_handle[:8], "big", signed=True)


def instant(seconds: int) -> datetime:
    """Seconds since 1970 as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
