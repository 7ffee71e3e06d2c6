"""The rules once more, worked out by the simulator for itself: what an admission has come to at an instant.

Written from the published rules and from nothing of the correlator's, so that an error in one does not hide in both.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.outcomes import Outcome
from services.simulator.clock import end_of, midnight
from services.simulator.plans import Application, Crossing, Stay

OFFICE = "America/New_York"
"""Decisions of the benefits agency are dated in this zone."""
NEVER = 2**62
WAIVER_DAYS = 90


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the instant since when it holds, and the last day authorised by a date (ordinal, 0 for none)."""

    outcome: Outcome
    since: int
    last_day: int


@dataclass(slots=True)
class _Line:
    """What is allowed, piece by piece; `reach` is the first instant that nothing allows."""

    pieces: list[tuple[int, Outcome]]
    last_day: int
    dated: int  # the first instant after the last day
    reach: int
    adjusted: int = NEVER

    def holds(self, at: int) -> tuple[int, Outcome]:
        """The piece in force at an instant."""
        return max((piece for piece in enumerate(self.pieces) if piece[1][0] <= at), key=lambda p: (p[1][0], p[0]))[1]


def verdict(
    stay: Stay,
    applications: tuple[Application, ...],
    departure: Crossing | None,
    later: int | None,
    as_of: int,
    covered: int,
) -> Verdict:
    """The outcome of a stay at `as_of`.

    Taken for known are the applications and departure given, a later admission at `later`, and every departure up
    to `covered`.
    """
    begun = stay.arrival.at
    if stay.inspection != "A":
        return Verdict(Outcome.NOT_ADMITTED, begun, 0)
    line = _allowed(stay, applications)
    if departure is not None and departure.at <= as_of:
        _, word = line.holds(departure.at)
        late = word is Outcome.OVERSTAY_SUSPECTED
        return Verdict(Outcome.DEPARTED_LATE if late else Outcome.DEPARTED_IN_TIME, departure.at, line.last_day)
    if later is not None and later <= as_of:
        return Verdict(Outcome.CLOSED_UNOBSERVED, later, line.last_day)
    if line.adjusted <= as_of:
        return Verdict(Outcome.ADJUSTED, line.adjusted, line.last_day)
    since, word = line.holds(as_of)
    if word is Outcome.OVERSTAY_SUSPECTED and covered < since:
        word = Outcome.DEPARTURE_UNKNOWN
    return Verdict(word, since, line.last_day)


def _allowed(stay: Stay, applications: tuple[Application, ...]) -> _Line:
    zone = stay.arrival.zone
    over = end_of(stay.last_day, zone)
    line = _Line([(stay.arrival.at, Outcome.IN_STATUS)], stay.last_day, over, over)
    for application in sorted(applications, key=lambda each: each.filed):
        if application.form == "I-485":
            _adjust(line, application, zone)
        elif not stay.waiver:
            _extend(line, application, zone)
    if line.reach < NEVER:
        line.pieces.append((line.reach, Outcome.OVERSTAY_SUSPECTED))
    return line


def _extend(line: _Line, application: Application, zone: str) -> None:
    if application.decision == "approved":
        # filed late and approved all the same: the gap is healed
        line.pieces = [piece for piece in line.pieces if piece[0] < line.dated]
        line.pieces.append((line.dated, Outcome.IN_STATUS))
        line.last_day = application.granted_until
        line.dated = line.reach = end_of(application.granted_until, zone)
        return
    if application.filed > line.last_day:
        return
    until = end_of(application.decided, zone) if application.decision else NEVER
    if until > line.reach:
        line.pieces.append((line.reach, Outcome.PENDING))
        line.reach = until


def _adjust(line: _Line, application: Application, zone: str) -> None:
    approved = application.decision == "approved"
    until = end_of(application.decided, zone) if application.decision and not approved else NEVER
    begins = max(line.reach, midnight(application.filed, zone))
    if approved:
        line.adjusted = midnight(application.decided, OFFICE)
    if until > begins:
        if begins > line.reach:
            line.pieces.append((line.reach, Outcome.OVERSTAY_SUSPECTED))
        line.pieces.append((begins, Outcome.PENDING))
        line.reach = until
