"""Which events are taken: kind, topic, key, id and attributes agree, the system may say it, no stamp lies ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from populations import START
from sayings import NOW, arrival, coverage, decision, delivered, departure, status

from adapters.registry import systems
from bus.contract import Delivery, Partition
from schemas.codec import Undecodable
from schemas.events import AnyEvent, Evidence, Handling
from schemas.ids import event_id
from schemas.topics import ARRIVALS, CONTROL, DEPARTURES, STATUSES
from services.authority import Admission, Refused, Rights, rights_of, table
from services.authority.guard import Guard
from services.authority.rights import DECIDING


def why_not(one: Delivery, rights: dict[str, Rights] | None = None) -> str | None:
    """Why a message is not taken; None if it is."""
    try:
        Admission(lambda: NOW, rights).at().fact(one)
    except Undecodable as error:
        return str(error)
    return None


def headers(one: Delivery, name: str, content: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple((key, content if key == name else value) for key, value in one.headers)


TAKEN = {
    "an arrival": arrival(),
    "a departure": departure(),
    "weaker evidence": departure(system="APIS", evidence=Evidence.BOOKING),
    "a fact": status("TECS", "encounter"),
    "a marked fact": status("RAPS", "asylum_granted", handling=(Handling.ASYLUM,)),
    "coverage": coverage("I94", "departure:air"),
    "a decision": decision("VISABUS"),
    "a retraction of what it would not say now": status("NFTS", "lead_opened", operation="retract"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_a_system_may_say_is_taken(name: str) -> None:
    assert why_not(delivered(TAKEN[name])) is None


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (departure(system="SEVIS"), "kind: this system tells nothing of the kind"),
        (departure(system="NOBODY"), "kind: this system tells nothing of the kind"),
        (status("I94", "encounter"), "kind: this system tells nothing of the kind"),
        (status("ELIS", "removal_order"), "fact: this system tells no such fact"),
        (departure(system="APIS", evidence=Evidence.BIOMETRIC), "evidence: this system has no such evidence"),
        (departure(system="CBSA", evidence=Evidence.REMOVAL), "evidence: this system has no such evidence"),
        (coverage("APIS", "departure:air"), "scope: this system cannot vouch for it"),
        (coverage("EARM", "departure:air"), "scope: this system cannot vouch for it"),
        (coverage("VISABUS", "departure:air"), "scope: this system cannot vouch for it"),
        (decision("I94"), "kind: this system tells nothing of the kind"),
        (status("RAPS", "asylum_granted"), "handling: a mark is missing"),
        (status("RAPS", "asylum_granted", handling=(Handling.TPS,)), "handling: a mark is missing"),
    ],
)
@pytest.mark.law(9, "what a system may not say is a dead letter, at ingest and at the correlator")
def test_what_a_system_may_not_say_is_refused_on_both_sides(event: AnyEvent, why: str) -> None:
    assert (why_not(delivered(event)) or "").startswith(why)
    rights = rights_of(systems()[event.system]) if event.system in systems() else DECIDING
    with pytest.raises(Refused, match=why):
        Guard(rights, lambda: NOW).check(event, START)


ELSEWHERE: dict[str, tuple[Delivery, str]] = {
    "a departure among arrivals": (delivered(departure(), partition=Partition(ARRIVALS, 0)), "kind: not on its topic"),
    "a decision among departures": (
        delivered(decision("VISABUS"), partition=Partition(DEPARTURES, 0)),
        "kind: not on its topic",
    ),
    "coverage among statuses": (
        delivered(coverage("I94", "arrival:air"), partition=Partition(STATUSES, 0)),
        "kind: not on its topic",
    ),
    "an arrival on control": (delivered(arrival(), partition=Partition(CONTROL, 0)), "kind: not on its topic"),
    "another record's key": (delivered(arrival(), key=b"I94/other"), "key: not that of its record"),
    "no key": (delivered(arrival(), key=None), "key: not that of its record"),
    "the id of another system's event": (
        delivered(arrival(), lambda body: body.update(id=str(event_id("TECS", "T1", "", 1, "0" * 16, 1)))),
        "id: not derived",
    ),
    "another type": (
        delivered(arrival(), headers=headers(delivered(arrival()), "ce_type", b"visabus.departure")),
        "ce_type: another than the value's",
    ),
    "another source": (
        delivered(arrival(), headers=(("CE_Source", b"urn:visabus:system:TECS"), *delivered(arrival()).headers)),
        "CE_Source: another than the value's",
    ),
    "another id in the attributes": (
        delivered(arrival(), headers=headers(delivered(arrival()), "ce_id", b"0")),
        "ce_id: another than the value's",
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.law(9, "kind, topic, key, id and attributes of an event agree, or it is a dead letter")
def test_what_does_not_fit_its_place_is_refused(name: str) -> None:
    one, why = ELSEWHERE[name]
    assert (why_not(one) or "").startswith(why)


@pytest.mark.law(9, planted="an admission that does not look where an event lies")
@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_admission_that_does_not_look_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.authority.admission.Judging._check_place", lambda self, wire: None)
    assert why_not(ELSEWHERE[name][0]) is None


@pytest.mark.parametrize("name", ["published_at", "recorded_at"])
@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("9998-12-31T00:00:00Z", "lies ahead"),
        ("9999-12-31T23:59:59.999999Z", "lies ahead"),
        ((NOW + timedelta(days=2)).isoformat(), "lies ahead"),
        (NOW.isoformat(), None),
    ],
)
def test_no_stamp_lies_ahead(name: str, at: str, why: str | None) -> None:
    reason = why_not(delivered(arrival(), lambda body: body.update({name: at})))
    assert reason == (f"{name}: {why}" if why else None)


def test_clocks_differ_a_little() -> None:
    def taken(name: str, by: timedelta) -> bool:
        return why_not(delivered(arrival(), lambda body: body.update({name: (NOW + by).isoformat()}))) is None

    assert taken("published_at", timedelta(minutes=5))
    assert not taken("published_at", timedelta(minutes=5, seconds=1))
    assert taken("recorded_at", timedelta(hours=24))
    assert not taken("recorded_at", timedelta(hours=24, seconds=1))


def test_the_table_is_that_of_the_adapters() -> None:
    rights = table()
    assert rights.keys() == systems().keys()
    assert rights["I94"].kinds == {"arrival", "departure", "extension"}
    assert rights["EARM"].scopes == {"departure:removal"}
    assert rights["RAPS"].marks == {"asylum"}
    assert not any("decision" in each.kinds or "coverage" in each.kinds for each in rights.values())


def test_a_system_that_declares_little_may_say_what_its_kinds_can() -> None:
    i94, apis = (
        replace(systems()[name], covers=None, facts=None, evidence=None, emits=("departure", "decision"))
        for name in ("I94", "APIS")
    )
    vouching, silent = rights_of(i94), rights_of(apis)
    assert vouching.kinds == {"departure"}
    rights = {"I94": vouching, "APIS": silent}
    assert why_not(delivered(coverage("I94", "departure:air")), rights) is None
    assert why_not(delivered(coverage("I94", "arrival:air")), rights) is not None
    assert why_not(delivered(coverage("APIS", "departure:air")), rights) is not None
    assert why_not(delivered(departure(system="APIS", evidence=Evidence.BIOMETRIC)), rights) is None
