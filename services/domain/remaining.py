"""How long a stay may still go on: days that remain, when so many remain, and how long work goes on meanwhile.

All of it is read off the time line that answers, so that an alert and an answer never differ. Pure: time is an
argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from schemas.outcomes import Outcome
from services.domain import rules
from services.domain.applications import local_day
from services.domain.history import Interval, Stay
from services.domain.periods import DURATION
from services.domain.programs import FOREVER, at, over

ALLOWED = frozenset({Outcome.IN_STATUS.value, Outcome.IN_GRACE.value, Outcome.PENDING.value})
"""What allows to stay."""
ENDED = frozenset({Outcome.OVERSTAY_SUSPECTED.value, Outcome.TERMINATED.value, Outcome.UNDETERMINED.value})
"""What follows where nothing does. Any other piece ends a stay by what happened, not by its last day."""


def last_day(stay: Stay, as_of: int) -> date | None:
    """The last day on which somebody may be there, as it stands at a second; None where there is none.

    There is none for whoever may not stay at that second, and for whoever may without an end.
    """
    held = at(stay.timeline, as_of)
    if held is None or held.outcome not in ALLOWED:
        return None
    after = _after(stay.timeline, as_of)
    if after is None or after.since >= FOREVER:
        return None
    if ended(after):
        return local_day(after.since - 1, stay.zone)
    # who has left, or is something else, by now: how long it could have been, the date alone tells
    stated = stay.authorised_until
    return None if stated is None or stated == DURATION else date.fromisoformat(stated)


def ended(piece: Interval) -> bool:
    """Whether a piece begins because a last day is over. A contradicted report of a departure only happens."""
    return piece.outcome in ENDED and piece.rule != rules.CONTRADICTED[0]


def _after(line: Iterable[Interval], as_of: int) -> Interval | None:
    """The first piece beyond a second that does not allow to stay."""
    return next((piece for piece in line if piece.since > as_of and piece.outcome not in ALLOWED), None)


def remaining_days(stay: Stay, as_of: int) -> int | None:
    """Days that remain behind the present one, at the port of entry: 0 on the last day. None as for `last_day`."""
    last = last_day(stay, as_of)
    return None if last is None else max(0, (last - local_day(as_of, stay.zone)).days)


def alert_at(stay: Stay, as_of: int, days: int) -> int | None:
    """The second at which only so many days remain, at the port of entry. None where there is no last day."""
    last = last_day(stay, as_of)
    return None if last is None else over(last.toordinal() - days - 1, stay.zone)


def alerts(stays: Iterable[Stay], since: int, period_end: int, days: int) -> Iterator[tuple[Stay, date]]:
    """The stays for which an alert falls due from a second up to another, with their last day."""
    for stay in stays:
        moment = max(since, stay.since)
        due = alert_at(stay, moment, days)
        last = last_day(stay, moment)
        if due is not None and last is not None and since <= max(due, stay.since) < period_end:
            yield stay, last


def work_until(stay: Stay, as_of: int) -> date | None:
    """The last day of work that goes on while the same employer's application is pending; None where none does.

    Not covered: whether the application came from the same employer, and permission of another kind.
    """
    held = at(stay.timeline, as_of)
    if held is not None and held.outcome == Outcome.IN_GRACE and held.rule != rules.EMPLOYMENT[0]:
        # what was asked for in time waits behind the days of grace, and work has gone on since the date
        held = next((piece for piece in stay.timeline if piece.since > as_of), None)
    if held is None or held.outcome != Outcome.PENDING or held.rule != rules.TIMELY[0]:
        return None
    if stay.admission_class not in rules.WORK_GOES_ON or stay.authorised_until in (None, DURATION):
        return None
    last = date.fromisoformat(str(stay.authorised_until)).toordinal() + rules.WORK_DAYS
    return date.fromordinal(last) if as_of < over(last, stay.zone) else None
