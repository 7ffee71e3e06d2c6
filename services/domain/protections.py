"""Protections: what facts about a person allow beyond a class, and what can be said against an evidence of departure.

Each is laid over the time line that admission and applications give; where the two differ, the outcome counts that
comes first in the closed list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_row
from datetime import date
from itertools import zip_longest

from msgspec.structs import replace

from schemas.outcomes import ORDER, Outcome
from services.domain import rules
from services.domain.applications import Application
from services.domain.facts import Fact
from services.domain.history import Interval
from services.domain.notices import Notice, notice_for
from services.domain.periods import Period, citizenship_of
from services.domain.programs import FOREVER, over
from services.domain.visits import Visit, implied, presence

RANK = {outcome.value: place for place, outcome in enumerate(ORDER)}


@dataclass(frozen=True, slots=True)
class Window:
    """From a second up to another a row holds, by these events, or up to where a notice ended it."""

    row: rules.Protection
    since: int
    period_end: int
    evidence: tuple[str, ...]
    notice: Notice | None = None


def protected(visit: Visit, period: Period, line: list[Interval]) -> list[Interval]:
    """The time line with all protections laid over it, and with what stands against a reported departure."""
    for window in windows_of(visit, period):
        # the day up to which a person was paroled is known where that of the first parole is not
        line = laid_over(line, window, dates=period.paroled and period.last_day is None and window.row.fact == "parole")
        if window.row.failed or window.notice is not None:
            line = [_failed(piece, window) for piece in line]
    if visit.departed is not None:
        return line
    if visit.disbelieved:
        line = _still_here(visit, line)
    if visit.impossible:
        line = _impossible(visit, line)
    return _rebutted(visit, line) if visit.shown else line


def filing_end(visit: Visit, period: Period) -> int:
    """The first second behind the days in which a filing is still in time though the period is over; 0: no such days.

    8 CFR 214.1(l)(3): an extension or change may be asked for in the days endorsed on the I-94.
    """
    if not period.row.extendable:
        return 0
    return max((window.period_end for window in windows_of(visit, period) if window.row.behind), default=0)


def voided(application: Application, facts: Sequence[Fact]) -> bool:
    """Whether a filing gives no authorised stay: it was frivolous, or there was work without permission meanwhile.

    Pending, denied or withdrawn: INA 212(a)(9)(B)(iv). What was approved holds. Work ends an extension or a change,
    of which that section speaks, and no adjustment: who filed properly for one is in a period of stay authorised by the
    agency, whatever the person does meanwhile (Adjudicator's Field Manual 40.9.2(b)(3)(A)).
    """
    end = FOREVER if application.decided is None else application.decided.start
    for fact in facts:
        word = fact.body["fact"]
        if word == rules.UNAUTHORISED_WORK and not application.adjusts and fact.start <= end:
            return True
        if word == rules.FRIVOLOUS_FILING and any(
            text.endswith(f"/{application.receipt}") for text in fact.identifiers
        ):
            return True
    return False


def maintains(application: Application, visit: Visit, period: Period) -> bool:
    """Whether a person was in temporary protected status who asked for a change of status: INA 244(f)(4) holds that
    person to maintain lawful status for it, whatever the date on the I-94 was. It says nothing of extensions.
    """
    if application.asks != "change_class":
        return False
    windows = (window for window in windows_of(visit, period) if window.row.fact == rules.MAINTAINING)
    return any(window.since <= application.filed_at < window.period_end for window in windows)


def windows_of(visit: Visit, period: Period) -> Iterator[Window]:
    """What the facts of a visit allow, in order of time."""
    arrival = visit.arrival
    admitted = date.fromordinal(arrival.day)
    for fact in visit.facts:
        body = fact.body
        row = rules.protection_for(body["fact"], body.get("reason", ""), period.admission_class, admitted)
        if row is None:
            continue
        if row.behind and 0 < period.status_end < period.end:
            # the days are those of the admission, so no overstay, but of a person who was out of status before them
            row = replace_row(row, outcome=Outcome.TERMINATED, wording=f"out of status; {row.wording}")
        since = period.end if row.behind else over(fact.day - 1, arrival.zone)
        period_end, evidence = _period_end(visit, fact, row, period), {arrival.uuid, fact.uuid}
        notice, ends_by_notice = _notice(visit, fact)
        if ends_by_notice is not None:
            period_end = ends_by_notice
        ended = next((one for one in visit.facts if one.body["fact"] == row.ended_by and one.start >= fact.start), None)
        if ended is not None and (end := over(ended.day, arrival.zone)) < period_end:
            period_end, evidence, notice = end, evidence | {ended.uuid}, None
        since = max(since, arrival.start)
        if any(one.body["fact"] == row.unless and fact.start <= one.start < period_end for one in visit.facts):
            continue
        if since < period_end:
            yield Window(row, since, period_end, tuple(sorted(evidence)), notice)


def _notice(visit: Visit, fact: Fact) -> tuple[Notice | None, int | None]:
    """The notice that ends what a fact gives, and the second at which it does; None where none does."""
    states = (
        fact.claim.citizenship if fact.claim is not None and fact.claim.citizenship else citizenship_of(visit.arrival)
    )
    notice = notice_for(fact.body["fact"], str(fact.body.get("reason", "")).upper(), states)
    if notice is None:
        return None, None
    until = fact.body.get("until")
    stated = None if until is None or until == "D/S" else date.fromisoformat(until)
    end = notice.end_of(stated, date.fromordinal(fact.day))
    return (None, None) if end is None else (notice, over(end.toordinal(), visit.arrival.zone))


def _period_end(visit: Visit, fact: Fact, row: rules.Protection, period: Period) -> int:
    """The second at which it is over by the day that it names, and by the most that the row allows."""
    zone, stated = visit.arrival.zone, fact.body.get("until")
    if stated is None or stated == "D/S":
        return FOREVER if row.open else 0
    last = date.fromisoformat(stated).toordinal()
    if row.days and row.behind:
        if period.last_day is None or period.last_day == "D/S":
            return 0
        last = min(last, date.fromisoformat(period.last_day).toordinal() + row.days)
    elif row.days:
        last = min(last, fact.day + row.days)
    return over(last, zone)


def laid_over(line: Sequence[Interval], window: Window, *, dates: bool = False) -> list[Interval]:
    """The line with the window's outcome wherever it comes first in the closed list.

    `dates`: also where nothing was known for want of the date that the window has.
    """
    row, pieces = window.row, list[Interval]()
    mine = Interval(window.since, row.outcome.value, row.wording, row.id, row.citation, window.evidence)
    for piece, following in zip_longest(line, line[1:]):
        end = following.since if following is not None else FOREVER + 1
        first = RANK[piece.outcome] <= RANK[mine.outcome] and not (dates and piece.outcome == Outcome.UNDETERMINED)
        if first or end <= window.since or window.period_end <= piece.since:
            pieces.append(piece)
            continue
        if piece.since < window.since:
            pieces.append(piece)
        begins = max(piece.since, window.since)
        if not pieces or replace(pieces[-1], since=0) != replace(mine, since=0):
            pieces.append(replace(mine, since=begins))
        if window.period_end < end and window.period_end < FOREVER:
            pieces.append(replace(piece, since=window.period_end))
    return pieces


def _failed(piece: Interval, window: Window) -> Interval:
    if not piece.absence or piece.since < window.period_end:
        return piece
    proof = tuple(sorted({*piece.evidence, *window.evidence}))
    if window.notice is not None:
        reason = f"{window.row.wording} ended by notice"
        return replace(piece, reason=reason, rule=window.notice.id, citation=window.notice.citation, evidence=proof)
    return replace(piece, reason=window.row.failed, rule=window.row.id, citation=window.row.citation, evidence=proof)


def _still_here(visit: Visit, line: Sequence[Interval]) -> list[Interval]:
    """The line with a word on the manifest that lost, from the moment of which it told.

    An officer who met the person knows that the manifest was wrong. A filing or fingerprints only imply it, so that
    neither is known: that the person left, or is there.
    """
    report = min(visit.disbelieved, key=lambda fact: (fact.start, fact.id))
    met = presence(visit, report)
    proof = {fact.uuid for fact in visit.disbelieved} | set(met or implied(visit, report))
    pieces = []
    for piece in _parted(line, report.start):
        evidence = tuple(sorted({*piece.evidence, *proof}))
        if piece.since < report.start:
            pieces.append(piece)
        elif met:
            reason = f"{piece.reason}; met in the country after a carrier told of a departure"
            pieces.append(replace(piece, reason=reason, evidence=evidence))
        else:
            reason = "a carrier told of a departure; what came later only a person in the country can cause"
            pieces.append(_undetermined(piece, reason, rules.CONTRADICTED, evidence))
    return pieces


def _undetermined(piece: Interval, reason: str, rule: tuple[str, str], evidence: tuple[str, ...]) -> Interval:
    return replace(
        piece,
        outcome=Outcome.UNDETERMINED.value,
        reason=reason,
        rule=rule[0],
        citation=rule[1],
        evidence=evidence,
        absence=False,
    )


def _impossible(visit: Visit, line: Sequence[Interval]) -> list[Interval]:
    """The line without suspicion where a departure was reported for a time after its own record."""
    reason = "the period is over; a departure was reported, with a date after that of its own record"
    proof = {fact.uuid for fact in visit.impossible}
    return [
        _undetermined(piece, reason, rules.IMPOSSIBLE, tuple(sorted({*piece.evidence, *proof})))
        if piece.absence
        else piece
        for piece in line
    ]


def _rebutted(visit: Visit, line: Sequence[Interval]) -> list[Interval]:
    """The line without suspicion from the moment at which the person shows to have left."""
    shown = [fact for fact in visit.shown if not presence(visit, fact)]
    if not shown:
        return list(line)
    first = min(shown, key=lambda fact: (fact.start, fact.id))
    reason = "the period is over; the person shows to have left, and nobody reported it"
    return [
        _undetermined(piece, reason, rules.OWN_EVIDENCE, tuple(sorted({*piece.evidence, first.uuid})))
        if piece.absence and piece.since >= first.start
        else piece
        for piece in _parted(line, first.start, absence=True)
    ]


def _parted(line: Sequence[Interval], second: int, *, absence: bool = False) -> Iterator[Interval]:
    """The line with a piece that begins at a second; `absence`: only where that is one without a departure."""
    for piece, following in zip_longest(line, line[1:]):
        yield piece
        if piece.since < second and piece.absence >= absence and (following is None or second < following.since):
            yield replace(piece, since=second)
