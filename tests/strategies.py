"""Hypothesis strategies for canonical events: valid ones of all six kinds, as odd as the models allow.

Instants lie between 1900 and 2199: a moment is also seen in the zone of its port, which the first and the last day of
the calendar do not survive.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from schemas.countries import STATES
from schemas.events import (
    Action,
    AnyEvent,
    Arrival,
    Coverage,
    Decision,
    Departure,
    Evidence,
    Extension,
    Fact,
    Handling,
    Inspection,
    Mode,
    Name,
    Operation,
    RecordRef,
    Request,
    Revision,
    Status,
    Subject,
)
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment, Precision

ZONES = ("UTC", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati")
CARRIERS = ("AA", "LH", "BA", "9W", "MSC")
SYSTEMS = ("I94", "CLAIMS3", "APIS", "SEVIS")

FORMS: dict[Scheme, str] = {
    Scheme.I94: r"[0-9]{9}[A-Z0-9][0-9]",
    Scheme.SEVIS: r"N[0-9]{10}",
    Scheme.RECEIPT: r"(EAC|LIN|SRC|WAC|MSC|NBC|YSC|IOE)[0-9]{10}",
    Scheme.A_NUMBER: r"A[0-9]{9}",
    Scheme.PASSPORT: r"[A-Z0-9]{3,20}",
    Scheme.VISA: r"[A-Z0-9][0-9]{7}",
    Scheme.FIN: r"[0-9]{4,15}",
    Scheme.ESTA: r"[A-Z0-9]{16}",
    Scheme.BOOKING: r"[A-Z0-9]{5,8}",
    Scheme.CASE: r"[A-Z0-9-]{3,30}",
    Scheme.VISA_APPLICATION: r"[A-Z0-9]{8,14}",
    Scheme.SUBJECT: r"[A-Z0-9]{3,20}",
    Scheme.FBI: r"[A-Z0-9]{4,12}",
    Scheme.CARD: r"[A-Z]{3}[0-9]{10}",
}
"""The canonical spelling of each scheme, written down a second time and apart from the models."""

_ISSUERS: dict[Scheme, st.SearchStrategy[str]] = {
    Scheme.PASSPORT: st.sampled_from(sorted(STATES)),
    Scheme.BOOKING: st.sampled_from(CARRIERS),
    Scheme.CASE: st.sampled_from(SYSTEMS),
    Scheme.SUBJECT: st.sampled_from(SYSTEMS),
}

offsets = st.one_of(st.just(UTC), st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))))
instants = st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=offsets)  # noqa: DTZ001
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
zones = st.sampled_from(ZONES)


def texts(longest: int = 200, shortest: int = 1) -> st.SearchStrategy[str]:
    """Any text that UTF-8 can carry."""
    return st.text(st.characters(codec="utf-8"), min_size=shortest, max_size=longest)


codes = st.from_regex(r"[A-Z0-9][A-Z0-9/_-]{0,11}", fullmatch=True)
digests = st.binary(max_size=8).map(digest)
revisions = st.builds(Revision, number=st.integers(0, 2**63 - 1), digest=digests)
references = st.builds(RecordRef, system=st.sampled_from(SYSTEMS) | codes, record=texts(30))


@st.composite
def identifiers(draw: st.DrawFn, schemes: st.SearchStrategy[Scheme] = st.sampled_from(Scheme)) -> Identifier:  # noqa: B008
    """Canonical identifiers."""
    scheme = draw(schemes)
    value = draw(st.from_regex(FORMS[scheme], fullmatch=True))
    return Identifier.of(scheme, value, draw(_ISSUERS.get(scheme, st.just(""))))


names = st.builds(Name, family=texts(20), given=texts(20, 0)) | st.builds(Name, given=texts(20))
births = st.one_of(days.map(str), days.map(lambda day: str(day)[:7]), days.map(lambda day: str(day)[:4]))


def _several(one: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(one, min_size=least, max_size=3).map(tuple)


def _subjects(names_least: int, identifiers_least: int) -> st.SearchStrategy[Subject]:
    return st.builds(
        Subject,
        names=_several(names, names_least),
        birth=st.none() | births,
        sex=st.sampled_from((None, "F", "M", "X")),
        citizenship=_several(st.sampled_from(sorted(STATES))),
        identifiers=_several(identifiers(), identifiers_least),
    )


subjects = _subjects(1, 0) | _subjects(0, 1)
moments = st.one_of(
    st.builds(Moment.whole_day, days, zones),
    st.builds(Moment.instant, instants, zones, st.sampled_from((Precision.INSTANT, Precision.MINUTE))),
    st.builds(Moment, precision=st.just(Precision.INSTANT), zone=zones, at=instants),
)
untils = st.none() | days | st.just("D/S")
maybe_code = st.none() | codes


@st.composite
def _envelopes(draw: st.DrawFn) -> dict[str, Any]:
    system, record, part = draw(st.sampled_from(SYSTEMS) | codes), draw(texts(30)), draw(texts(40, 0))
    revision, mapping = draw(revisions), draw(st.integers(1, 2**31 - 1))
    return {
        "id": event_id(system, record, part, revision.number, revision.digest, mapping),
        "operation": draw(st.sampled_from(Operation)),
        "system": system,
        "record": record,
        "place": draw(texts(30)),
        "part": part,
        "revision": revision,
        "mapping_version": mapping,
        "batch": draw(texts(30)),
        "recorded_at": draw(st.none() | instants),
        "published_at": draw(instants),
    }


def _personal() -> dict[str, st.SearchStrategy[Any]]:
    return {
        "occurred_at": moments,
        "subject": subjects,
        "origin": st.none() | references,
        "handling": _several(st.sampled_from(Handling)),
    }


def _crossing() -> dict[str, st.SearchStrategy[Any]]:
    mode = st.none() | st.sampled_from(Mode)
    return _personal() | {"port": maybe_code, "mode": mode, "carrier": maybe_code, "conveyance": maybe_code}


def _built(model: Callable[..., Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda envelope, rest: model(**envelope, **rest), _envelopes(), st.fixed_dictionaries(fields))


arrivals: st.SearchStrategy[Arrival] = _built(
    Arrival,
    **_crossing(),
    inspection=st.sampled_from(Inspection),
    class_of_admission=maybe_code,
    admitted_until=untils,
)
departures: st.SearchStrategy[Departure] = _built(Departure, **_crossing(), evidence=st.sampled_from(Evidence))
extensions: st.SearchStrategy[Extension] = _built(
    Extension,
    **_personal(),
    receipt=st.from_regex(r"[A-Z0-9]{3,20}", fullmatch=True),
    form=st.sampled_from(("I-539", "I-129", "I-485")),
    asks=st.sampled_from(Request),
    action=st.sampled_from(Action),
    filed_on=st.none() | days,
    requested_class=maybe_code,
    requested_until=untils,
    granted_class=maybe_code,
    granted_until=untils,
    valid_from=st.none() | days,
)
statuses: st.SearchStrategy[Status] = _built(
    Status,
    **_personal(),
    fact=st.sampled_from(Fact),
    class_of_admission=maybe_code,
    until=untils,
    reason=st.none() | texts(200, 0),
)
scopes = st.from_regex(r"(arrival|departure|extension|status)(:[a-z]{1,8})?", fullmatch=True)


@st.composite
def _coverages(draw: st.DrawFn) -> Coverage:
    since, through = sorted((draw(instants), draw(instants)))
    return Coverage(**draw(_envelopes()), scope=draw(scopes), since=since, through=through)


@st.composite
def _decisions(draw: st.DrawFn) -> Decision:
    one, other = draw(st.lists(references, min_size=2, max_size=2, unique=True))
    same, by, why = draw(st.booleans()), draw(texts(30)), draw(texts(30))
    return Decision(**draw(_envelopes()), one=one, other=other, same=same, by=by, why=why)


coverages: st.SearchStrategy[Coverage] = _coverages()
decisions: st.SearchStrategy[Decision] = _decisions()

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "arrival": arrivals,
    "departure": departures,
    "extension": extensions,
    "status": statuses,
    "coverage": coverages,
    "decision": decisions,
}
events: st.SearchStrategy[AnyEvent] = st.one_of(*KINDS.values())
"""Published events of any kind."""


def json_values() -> st.SearchStrategy[Any]:
    """Anything JSON can say."""
    scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | texts(10, 0)
    return st.recursive(scalars, lambda some: st.lists(some, max_size=3) | st.dictionaries(texts(5), some, max_size=3))


@st.composite
def spoiled(draw: st.DrawFn, body: dict[str, Any], *, spared: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The body with one field, at any depth, missing or something else."""
    body = dict(body)
    name = draw(st.sampled_from(sorted(body.keys() - spared)))
    if isinstance(body[name], dict) and draw(st.booleans()):
        body[name] = draw(spoiled(body[name]))
    elif draw(st.booleans()):
        del body[name]
    else:
        body[name] = draw(json_values())
    return body
