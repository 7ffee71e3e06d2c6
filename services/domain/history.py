"""What correlation says of one person: records and links, stays with their time lines, evidence for every word.

Bytes of a history (`canonical`) are the canonical export's: they hold no counter, no time of writing, no clock.
"""

from __future__ import annotations

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """From `since` (seconds since 1970, UTC) until the next interval begins, this holds of an admission.

    `absence`: the outcome rests on nobody having reported a departure, so it is "suspected" only where departures are
    known to be complete up to `since`, and "not known" until then.
    """

    since: int
    outcome: str
    reason: str
    rule: str
    citation: str
    evidence: tuple[str, ...]  # event ids
    absence: bool = False


class Stay(msgspec.Struct, frozen=True, omit_defaults=True):
    """One application for admission and what became of it."""

    id: str  # handle of the arrival's record, hexadecimal; of several that tell of it the most authoritative
    since: int
    zone: str
    port: str | None
    mode: str | None
    admitted_as: str | None
    admission_class: str | None  # the class that holds last
    authorised_until: str | None  # the last authorised day, ISO date or "D/S"
    departed: int | None
    i94: tuple[str, ...]
    handling: tuple[str, ...]
    timeline: tuple[Interval, ...]
    witnesses: tuple[str, ...] = ()  # event ids of encounters at the arrival, which admit nobody
    reports: tuple[str, ...] = ()  # event ids of all that tell of the arrival, that record's first; none if alone


class Link(msgspec.Struct, frozen=True):
    """Why two claims are one person's: the records that made them and what they share."""

    one: tuple[str, str]
    other: tuple[str, str]
    by: str
    weight: int
    scored: bool = False  # `weight` is a score in bits


class History(msgspec.Struct, frozen=True):
    """A person as far as the records tell."""

    person: str  # handle of the earliest-known record, hexadecimal
    records: tuple[tuple[str, str], ...]  # (system, record), sorted
    names: tuple[tuple[str, str], ...]
    births: tuple[str, ...]
    sexes: tuple[str, ...]
    citizenship: tuple[str, ...]
    identifiers: tuple[str, ...]
    links: tuple[Link, ...]
    stays: tuple[Stay, ...]  # by time
    unmatched_departures: tuple[str, ...]  # event ids of departures without an arrival
    known: int  # microseconds: the latest moment of knowing that this rests on


class Answer(msgspec.Struct, frozen=True):
    """The status of one admission at one instant, with its proof."""

    outcome: str
    reason: str
    rule: str
    citation: str
    evidence: tuple[str, ...]
    since: int
    stay: Stay


_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    """Canonical JSON: sorted keys, no blanks, UTF-8."""
    return _encoder.encode(value)


def history_of(data: bytes) -> History:
    """The reverse of `canonical` for a history."""
    return msgspec.json.decode(data, type=History)
