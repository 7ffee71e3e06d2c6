"""Small histories of the kinds of tests/domain/cases/law, written from the law's text alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from zoneinfo import ZoneInfo

from oracle.histories import KNOWN, PORTS, World
from oracle.reading import Event

NOON = 12
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sibling:
    """A history, the instant that is asked about, and the right outcomes of its stays."""

    name: str
    why: str
    build: Callable[[World], None]
    on: datetime
    right: tuple[str, ...]  # of the stays in order
    known_at: datetime | None = None
    covered: bool = True

    def events(self) -> list[Event]:
        """The events, with departures known complete throughout."""
        world = World(Random(self.name))
        if self.covered:
            world.cover(LONG_AGO, KNOWN)
        self.build(world)
        return world.events


ALL: list[Sibling] = []


def at(day: str, hour: int = NOON, minute: int = 0, port: str = "JFK") -> datetime:
    """An instant by the clock of a port."""
    result = date.fromisoformat(day)
    zone = ZoneInfo(PORTS[port])
    return datetime(result.year, result.month, result.day, hour, minute, tzinfo=zone).astimezone(UTC)


def right(
    *outcomes: str, on: datetime, why: str, known_at: datetime | None = None, covered: bool = True
) -> Callable[[Callable[[World], None]], None]:
    """Keep a history with what is right of it."""

    def keep(build: Callable[[World], None]) -> None:
        ALL.append(Sibling(build.__name__, why, build, on, outcomes, known_at, covered))

    return keep


def came(
    w: World, cls: str | None, until: str | None, day: str = "2026-01-12", port: str = "JFK", **more: object
) -> None:
    """Admitted at noon."""
    last = date.fromisoformat(until) if until and until != "D/S" else until
    inspection = str(more.get("inspection", "admitted"))
    numbered = bool(more.get("numbered", True))
    w.arrive(
        date.fromisoformat(day), cls, last, port=port, at=at(day, port=port), inspection=inspection, numbered=numbered
    )


def left(w: World, when: datetime, port: str = "JFK", evidence: str = "inspected") -> None:
    """Left at that instant."""
    event = w.depart(when.date(), evidence, port=port, whole_day=False)
    event["occurred_at"]["at"] = when.isoformat().replace("+00:00", "Z")
    w.reseal(event)


def left_on(w: World, day: str, port: str = "JFK", evidence: str = "inspected") -> None:
    """Left on that day; nobody says when."""
    w.depart(date.fromisoformat(day), evidence, port=port, whole_day=True)


def d(text: str) -> date:
    """That day."""
    return date.fromisoformat(text)


def files(
    w: World, day: str, asks: str = "extend", cls: str | None = None, receipt: str = "IOE0000000001", **more: str
) -> None:
    """An application is received."""
    form = more.get("form", "I-539")
    w.step(receipt, "filed", d(day), asks=asks, requested_class=cls, system=more.get("system", "CLAIMS3"), form=form)


def decides(
    w: World,
    day: str,
    action: str,
    asks: str = "extend",
    cls: str | None = None,
    until: str | None = None,
    valid: str | None = None,
    receipt: str = "IOE0000000001",
    **more: str,
) -> None:
    """An application is decided."""
    w.step(
        receipt,
        action,
        d(day),
        asks=asks,
        granted_class=cls,
        granted_until=until,
        valid_from=valid,
        system=more.get("system", "CLAIMS3"),
        form=more.get("form", "I-539"),
    )


# --- classes and dates -----------------------------------------------------------------------------------------------


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="8 CFR 214.2(g)(1): G-5 to a date, three years at most")
def g5_date_over(w: World) -> None:
    came(w, "G5", "2026-07-09")


@right("IN_STATUS", on=at("2026-07-09", 23, 59), why="the date counts to its end, at the port of entry")
def n7_last_minute(w: World) -> None:
    came(w, "N7", "2026-07-09")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="an A-2 admitted to a date has that date")
def a2_with_a_date_over(w: World) -> None:
    came(w, "A2", "2026-07-09")


@right("IN_STATUS", on=at("2026-11-01"), why="8 CFR 214.2(s)(1): NATO-6 (N6) for duration of status")
def n6_duration_of_status(w: World) -> None:
    came(w, "N6", "D/S")


@right("UNDETERMINED", on=at("2026-06-01"), why="8 CFR 214.2(i)(2): never D/S on a passport of the PRC")
def i_of_the_prc_with_duration_of_status(w: World) -> None:
    w.citizenship = "CHN"
    came(w, "I", "D/S")


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.2(i)(1)")
def i_of_japan_with_duration_of_status(w: World) -> None:
    w.citizenship = "JPN"
    came(w, "I", "D/S")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="8 CFR 214.2(i)(2), 87 FR 61959: a date")
def i_of_the_prc_left_a_day_late(w: World) -> None:
    w.citizenship = "CHN"
    came(w, "I", "2026-07-09")
    left(w, at("2026-07-10", 0, 1))


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-02-10"), why="admitted to a date for want of papers, and no program is on record"
)
def f1_to_a_date_program_terminated(w: World) -> None:
    came(w, "F1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "F1", "created", d("2025-12-31"))
    w.sevis("program", "sevis_completed", d("2025-11-15"), "F1", "completed", d("2025-11-15"))


@right("IN_STATUS", on=at("2026-02-08", 23, 59), why="Form I-515A: inside the date")
def j1_to_a_date_last_minute(w: World) -> None:
    came(w, "J1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "J1", "created", d("2028-05-15"))


@right("UNDETERMINED", on=at("2026-02-09"), why="as A05, of a J-1")
def j1_to_a_date_over(w: World) -> None:
    came(w, "J1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "J1", "created", d("2028-05-15"))


@right("DEPARTED_IN_TIME", on=at("2026-09-01"), why="Compact of Free Association, sec. 141: no limit of time")
def marshall_islander_left_after_years(w: World) -> None:
    w.citizenship = "MHL"
    came(w, "RMI", "D/S", "2021-02-01", "GUM")
    left(w, at("2026-08-01", port="HNL"), "HNL")


@right("IN_STATUS", on=at("2026-07-10", 9, port="GUM"), why="GMT: 45 days, the date on the I-94")
def guam_visitor_last_day(w: World) -> None:
    came(w, "GMT", "2026-07-10", "2026-05-27", "GUM")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-10"), why="8 CFR 214.2(r)(6): a date")
def r1_date_over(w: World) -> None:
    came(w, "R1", "2026-10-09")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="8 CFR 214.2(w): CW-1 to a date")
def cw1_left_on_the_last_day(w: World) -> None:
    came(w, "CW1", "2026-07-09", port="GUM")
    left(w, at("2026-07-09", 23, 50, "GUM"), "GUM")


@right("UNDETERMINED", on=at("2026-03-01"), why="no date, no D/S, and no length by law")
def h1b_without_a_period(w: World) -> None:
    came(w, "H1B", None)


@right("IN_STATUS", on=at("2026-07-01"), why="8 CFR 235.1(h)(1)(i): six months of a Canadian visitor without an I-94")
def canadian_without_an_i94(w: World) -> None:
    w.citizenship = "CAN"
    came(w, "B2", None, numbered=False)


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="the same, behind them")
def canadian_without_an_i94_over(w: World) -> None:
    w.citizenship = "CAN"
    came(w, "B2", None, numbered=False)


# --- grace -----------------------------------------------------------------------------------------------------------


@right("IN_GRACE", on=at("2026-07-19", 23, 59), why="8 CFR 214.1(l)(1): ten days, where endorsed")
def tn_tenth_endorsed_day(w: World) -> None:
    came(w, "TN", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="8 CFR 214.1(l)(1): at most ten days, whatever was written")
def tn_eleventh_endorsed_day(w: World) -> None:
    came(w, "TN", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-25"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-12"), why="8 CFR 214.1(l)(1) names no visitor")
def b2_endorsed_days_give_nothing(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("DEPARTED_IN_TIME", on=at("2026-12-01"), why="8 CFR 214.2(f)(5)(iv): the sixtieth day, where he left")
def f1_left_on_the_sixtieth_day_from_hawaii(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2026-05-31"))
    left(w, at("2026-07-30", 23, 59, "HNL"), "HNL")


@right("DEPARTED_LATE", on=at("2026-11-01"), why="the sixty-first")
def f1_left_on_the_sixty_first_day(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2026-05-31"))
    left(w, at("2026-07-31", 0, 5))


@right(
    "DEPARTED_IN_TIME", on=at("2026-11-01"), why="8 CFR 214.2(f)(5)(iv): fifteen days behind an authorised withdrawal"
)
def f1_left_fifteen_days_behind_a_withdrawal(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "F1", "authorized-withdrawal")
    left_on(w, "2026-03-16")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="8 CFR 214.2(j)(1)(ii): thirty days, not sixty")
def j2_thirty_days_over(w: World) -> None:
    came(w, "J2", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "J2", "created", d("2026-05-31"))


@right("TERMINATED", on=at("2026-06-01"), why="a violation ends D/S with no grace, and is no overstay")
def j1_terminated(w: World) -> None:
    came(w, "J1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "J1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "J1", "violation")


# --- M ---------------------------------------------------------------------------------------------------------------


@right("TERMINATED", on=at("2026-12-31"), why="the date on the I-94 still holds")
def m1_terminated_inside_the_date(w: World) -> None:
    came(w, "M1", "2027-01-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-12-09"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M1", "violation")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="behind the date the stay is an overstay")
def m1_terminated_behind_the_date(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M1", "violation")


@right("DEPARTED_LATE", on=at("2026-08-10"), why="behind the date")
def m1_terminated_left_behind_the_date(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M1", "violation")
    left(w, at("2026-07-10", 1))


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-07-10"),
    why="8 CFR 214.2(m)(10): a longer program moves no date without Form I-539",
)
def m1_program_extended_date_over(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))
    w.sevis("program", "sevis_active", d("2026-05-01"), "M1", "extended", d("2026-12-09"))


@right("IN_GRACE", on=at("2026-07-01"), why="8 CFR 214.2(m)(5): thirty days behind the program, inside the date")
def m1_grace(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))


# --- applications ----------------------------------------------------------------------------------------------------


@right("PENDING", on=at("2026-10-01"), why="Saturday; Monday 7 September 2026 is Labor Day, so Tuesday is in time")
def paper_behind_labor_day(w: World) -> None:
    came(w, "B2", "2026-09-05")
    files(w, "2026-09-08")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="for paper only: online is received at once, on Tuesday")
def online_behind_labor_day(w: World) -> None:
    came(w, "B2", "2026-09-05")
    files(w, "2026-09-08", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="Friday is a business day: the Monday behind it is late")
def paper_on_monday_for_friday(w: World) -> None:
    came(w, "B2", "2026-07-10")
    files(w, "2026-07-13")


@right(
    "PENDING",
    on=at("2026-08-01"),
    why="Friday 3 July 2026 is the holiday observed for Saturday 4 July; Monday is in time",
)
def paper_behind_independence_day(w: World) -> None:
    came(w, "B2", "2026-07-03")
    files(w, "2026-07-06")


@right(
    "DEPARTED_IN_TIME",
    on=at("2026-11-01"),
    why="a denied paper filing received on the business day: authorised up to the denial",
)
def paper_behind_a_sunday_denied(w: World) -> None:
    came(w, "B2", "2026-07-12")
    files(w, "2026-07-13")
    decides(w, "2026-09-01", "denied")
    left(w, at("2026-09-01", 23, 30))


@right(
    "PENDING", on=at("2026-11-01"), why="the sixtieth day, 30 July, is a Thursday and in time; policy of 27 August 2024"
)
def f1_change_filed_on_the_sixtieth_day(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2026-05-31"))
    files(w, "2026-07-30", "change_class", "B2")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-01"), why="the sixty-first day is a Friday: late")
def f1_change_filed_on_the_sixty_first_day(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2026-05-31"))
    files(w, "2026-07-31", "change_class", "B2")


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-08-01"),
    why="INA 212(a)(9)(B)(iv): a frivolous filing gives nothing while pending",
)
def frivolous_and_pending(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    w.fact("frivolous_filing", d("2026-09-01"), receipt="IOE0000000001")


@right("DEPARTED_LATE", on=at("2026-11-01"), why="nor after a denial")
def frivolous_denied_left_before_the_denial(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-09-01", "denied")
    w.fact("frivolous_filing", d("2026-09-01"), receipt="IOE0000000001")
    left(w, at("2026-08-15"))


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-09-01"),
    why="INA 212(a)(9)(B)(iv)(III): worked without authorisation while it was pending",
)
def worked_while_pending(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    w.fact("unauthorised_work", d("2026-07-20"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="8 CFR 214.1(c)(3)(ii): C-1 is not extended")
def c1_extension_gives_nothing(w: World) -> None:
    came(w, "C1", "2026-07-09", "2026-06-11")
    files(w, "2026-07-01")


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="INA 217(b), 248(a)(4): no extension and no change under the waiver"
)
def wt_change_gives_nothing(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    files(w, "2026-07-01", "change_class", "F1")


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-10-02"),
    why="authorised up to the denial's day, not behind it; an appeal is no stay",
)
def denied_and_appealed(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-10-01", "denied")
    decides(w, "2026-10-02", "appealed")


@right("IN_STATUS", on=at("2026-08-15"), why="denied before the date: the date still holds")
def denied_before_the_date(w: World) -> None:
    came(w, "B2", "2026-09-09")
    files(w, "2026-07-01")
    decides(w, "2026-08-01", "denied")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="withdrawn: authorised up to the later of date and withdrawal")
def withdrawn_left_the_same_day(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-09-01", "withdrawn")
    left(w, at("2026-09-01", 20))


@right("IN_STATUS", on=at("2026-11-01"), why="a change to Q-1 granted to a date has that date")
def b2_changed_to_q1(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-05-01", "change_class", "Q1")
    decides(w, "2026-08-01", "approved", "change_class", "Q1", "2027-02-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-02"), why="and ends with it")
def b2_changed_to_td_date_over(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-05-01", "change_class", "TD")
    decides(w, "2026-06-01", "approved", "change_class", "TD", "2026-11-01")


@right("PENDING", on=at("2026-11-01"), why="INA 245; a K-1 does not extend, but adjusts")
def wt_adjustment_filed_late_pending(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    files(w, "2026-08-01", "adjust", form="I-485")


# --- employment ------------------------------------------------------------------------------------------------------


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-07-10"),
    why="behind the I-94's date the sixty days do not reach: 8 CFR 214.1(l)(2)",
)
def l1_sixty_days_cut_at_the_date(w: World) -> None:
    came(w, "L1", "2026-07-09", "2025-01-12")
    w.fact("employment_ended", d("2026-06-15"))


@right("TERMINATED", on=at("2026-05-15"), why="the sixty-first day: 15 March + 61")
def h1b1_sixty_first_day(w: World) -> None:
    came(w, "H1B1", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right(
    "TERMINATED", on=at("2026-03-20"), why="8 CFR 214.1(l)(2) does not name P: out of status at once, and no overstay"
)
def p1_has_no_sixty_days(w: World) -> None:
    came(w, "P1", "2026-12-01", "2026-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right("IN_GRACE", on=at("2026-05-01"), why="89 FR 103202: sixty days for H-2B since 17 January 2025")
def h2b_sixty_days(w: World) -> None:
    came(w, "H2B", "2026-12-01", "2026-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="out of status behind the sixty days, and left before the date")
def e3_left_before_the_date(w: World) -> None:
    came(w, "E3", "2026-10-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-10-01", 23, 30, "LAX"), "LAX")


@right("PENDING", on=at("2026-08-01"), why="8 CFR 214.2(h)(2)(i)(H): filed before the last day, undecided")
def ported_before_the_last_day(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    files(w, "2026-03-01", form="I-129", receipt="WAC0000000002")
    w.fact("employment_ended", d("2026-03-15"))


@right("TERMINATED", on=at("2026-09-01"), why="denied behind the sixty days: out of status, and the date is not over")
def ported_and_denied(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    files(w, "2026-03-01", form="I-129", receipt="WAC0000000002")
    w.fact("employment_ended", d("2026-03-15"))
    decides(w, "2026-08-20", "denied", form="I-129", receipt="WAC0000000002")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-02"), why="and behind the date an overstay")
def ported_denied_and_date_over(w: World) -> None:
    came(w, "H1B", "2026-10-01", "2025-01-10")
    files(w, "2026-03-01", form="I-129", receipt="WAC0000000002")
    w.fact("employment_ended", d("2026-03-15"))
    decides(w, "2026-08-20", "denied", form="I-129", receipt="WAC0000000002")


# --- cap-gap ---------------------------------------------------------------------------------------------------------


@right(
    "IN_STATUS", on=at("2026-04-01", 23, 50), why="8 CFR 214.2(f)(5)(vi): up to 1 April of the fiscal year asked for"
)
def cap_gap_last_day(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    files(w, "2025-04-05", "change_class", "H1B", form="I-129")


@right("IN_STATUS", on=at("2025-11-15"), why="not to 1 October any more (since 17 January 2025)")
def cap_gap_in_november(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    files(w, "2025-04-05", "change_class", "H1B", form="I-129")


@right(
    "OVERSTAY_SUSPECTED", on=at("2025-11-15"), why="filed behind the sixty days: no cap-gap, nothing pending in time"
)
def cap_gap_filed_late(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-03-31"))
    files(w, "2025-06-04", "change_class", "H1B", form="I-129")


# --- departures ------------------------------------------------------------------------------------------------------


@right(
    "DEPARTED_IN_TIME", on=at("2026-08-01"), why="9 July where he left, though 10 July in Guam, where he was admitted"
)
def admitted_in_guam_left_from_new_york(w: World) -> None:
    came(w, "B2", "2026-07-09", port="GUM")
    left(w, at("2026-07-09", 23, 30))


@right("DEPARTED_LATE", on=at("2026-08-01"), why="10 July in Guam, though 9 July in Honolulu")
def admitted_in_honolulu_left_from_guam(w: World) -> None:
    came(w, "B2", "2026-07-09", port="HNL")
    left(w, at("2026-07-10", 9, port="GUM"), "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="a day is a day: known to the day only")
def left_on_the_last_day_known_to_the_day(w: World) -> None:
    came(w, "B2", "2026-07-09", port="GUM")
    left_on(w, "2026-07-09", "HNL")


@right("CLOSED_UNOBSERVED", "NOT_ADMITTED", on=at("2026-10-15"), why="withdrew his application: he was outside")
def application_withdrawn_at_the_border(w: World) -> None:
    came(w, "B2", "2026-07-09")
    came(w, None, None, "2026-10-01", inspection="withdrawn")


@right(
    "DEPARTED_LATE",
    "NOT_ADMITTED",
    on=at("2026-11-15"),
    why="the removal on the spot belongs to the application, the departure in July to the stay",
)
def left_late_then_refused_and_removed(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-20"), evidence="biometric")
    came(w, "B2", None, "2026-10-01", inspection="refused")
    left(w, at("2026-10-01", 20), evidence="removal")


@right("CLOSED_UNOBSERVED", "NOT_ADMITTED", "IN_STATUS", on=at("2026-11-15"), why="each application stands for itself")
def refused_then_admitted(w: World) -> None:
    came(w, "B2", "2026-07-09")
    came(w, "B2", None, "2026-09-01", inspection="refused")
    left(w, at("2026-09-02"), evidence="removal")
    came(w, "H1B", "2028-09-01", "2026-10-01")


@right("UNDETERMINED", on=at("2026-11-01"), why="fingerprints taken inside, months behind what a carrier told")
def enrolled_after_a_manifest(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-03-01"), evidence="manifest_closed")
    w.fact("encounter", d("2026-09-01"), reason="enrolment", port="JFK")


@right("UNDETERMINED", on=at("2026-11-01"), why="a school registers who is there")
def registered_after_a_manifest(w: World) -> None:
    came(w, "F1", "D/S", "2026-01-12")
    w.sevis("program", "sevis_active", d("2025-11-01"), "F1", "created", d("2028-05-31"))
    left(w, at("2026-05-01"), evidence="manifest")
    w.sevis("program", "sevis_active", d("2026-09-01"), "F1", "registered", d("2028-05-31"))


@right(
    "DEPARTED_LATE",
    on=at("2026-11-01"),
    why="a manifest that a stronger, later departure contradicts loses, for who is no Canadian",
)
def manifest_then_biometric(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-03-01"), evidence="manifest_closed")
    left(w, at("2026-09-01"), evidence="biometric")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="an approval is no proof against fingerprints at the gate")
def approved_after_a_biometric_departure(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-06-01")
    left(w, at("2026-07-05"), evidence="biometric")
    decides(w, "2026-09-01", "approved", until="2027-01-01")


# --- corrections, parole, waiver -------------------------------------------------------------------------------------


@right("IN_STATUS", on=at("2026-09-01"), why="the inspecting agency mends the period of any class")
def wt_corrected_by_cbp(w: World) -> None:
    came(w, "WT", "2026-04-09", "2026-01-10")
    w.correct(d("2026-01-20"), d("2026-10-09"), "B2")


@right("OVERSTAY_SUSPECTED", on=at("2026-06-01"), why="mended to an earlier date")
def b2_corrected_to_an_earlier_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.correct(d("2026-01-13"), d("2026-05-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-02-10"), why="8 CFR 212.5(e): parole ends with its date")
def deferred_inspection_never_decided(w: World) -> None:
    came(w, "DT", "2026-02-08", "2026-01-10", inspection="paroled")


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-03-01"),
    why="a parolee was not admitted: nothing to extend (8 CFR 214.1(c), 248.1(a))",
)
def parolee_files_an_extension(w: World) -> None:
    came(w, "DT", "2026-02-08", "2026-01-10", inspection="paroled")
    files(w, "2026-02-01")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="8 CFR 212.1(q): satisfactory departure under the Guam-CNMI waiver")
def guam_satisfactory_departure(w: World) -> None:
    came(w, "GMT", "2026-07-09", "2026-05-26", "GUM")
    w.fact("satisfactory_departure", d("2026-07-05"), until=d("2026-07-20"))
    left(w, at("2026-07-20", 23, port="GUM"), "GUM")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-15"), why="8 CFR 217.3(a): no overstay only for who leaves within it")
def satisfactory_departure_not_used(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-05"), until=d("2026-08-08"))


@right("DEPARTED_LATE", on=at("2026-09-15"), why="8 CFR 217.3(a): thirty days at most, whatever was written")
def satisfactory_departure_of_forty_days(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-05"), until=d("2026-08-18"))
    left(w, at("2026-08-15"))


@right("OVERSTAY_SUSPECTED", on=at("2026-08-15"), why="INA 240B(a)(2)(A): not left by then is as a removal order")
def voluntary_departure_not_used(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("voluntary_departure", d("2026-07-09"), until=d("2026-08-10"))


@right("PENDING", on=at("2026-10-01"), why="INA 212(a)(9)(B)(iii)(II)")
def asylum_pending(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))


@right("ADJUSTED", on=at("2026-10-01"), why="INA 208: no longer a nonimmigrant")
def asylum_granted(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))
    w.fact("asylum_granted", d("2026-09-01"))


# --- what ends by notice ---------------------------------------------------------------------------------------------


def _tps(w: World, state: str, until: str) -> None:
    w.citizenship = state
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d(until))


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-15"),
    why="90 FR 54733; Mullin v. Doe, 25 June 2026: the designation of Haiti ended",
)
def tps_of_haiti_ended_by_notice(w: World) -> None:
    _tps(w, "HTI", "2027-06-30")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-15"), why="90 FR 45398; Mullin v. Doe: the designation of Syria ended")
def tps_of_syria_ended_by_notice(w: World) -> None:
    _tps(w, "SYR", "2027-06-30")


@right("IN_STATUS", on=at("2025-06-01"), why="INA 244(f)(4): while the designation of Haiti held")
def tps_of_haiti_held(w: World) -> None:
    _tps(w, "HTI", "2026-02-03")


@right("IN_STATUS", on=at("2026-06-01"), why="no notice ended that of Ukraine before its own date")
def tps_of_ukraine_held(w: World) -> None:
    _tps(w, "UKR", "2026-10-19")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-20"), why="the day behind it")
def tps_of_ukraine_over(w: World) -> None:
    _tps(w, "UKR", "2026-10-19")


# --- plausibility, duration of status --------------------------------------------------------------------------------


@right(
    "UNDETERMINED",
    on=at("2026-09-01"),
    why="a departure dated ten years behind its own record is never 'no departure reported'",
)
def departure_in_2036(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, datetime(2036, 7, 1, 16, tzinfo=UTC))


@right(
    "IN_STATUS",
    on=at("2026-11-15"),
    why="91 FR 44976 is postponed (D. Mass. 1:26-cv-13799): D/S, and no date of the new rule",
)
def f1_admitted_in_october_2026(w: World) -> None:
    came(w, "F1", "D/S", "2026-10-02")
    w.sevis("program", "sevis_active", d("2026-06-01"), "F1", "created", d("2031-05-31"))


@right("IN_GRACE", on=at("2026-11-15"), why="and sixty days of grace, not thirty")
def f1_sixty_days_in_november_2026(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2026-09-30"))


# --- students' programs ----------------------------------------------------------------------------------------------


@right(
    "IN_GRACE", on=at("2026-10-29"), why="8 CFR 214.2(f)(5)(iv): sixty days behind the training, too (30 August + 60)"
)
def f1_grace_behind_training(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-07-01"), "F1", "practical-training", d("2026-08-30"))


@right("OVERSTAY_SUSPECTED", on=at("2025-10-01"), why="training that begins behind the days of grace revives nothing")
def f1_training_that_begins_too_late(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-09-01"), "F1", "practical-training", d("2026-08-30"))


@right("OVERSTAY_SUSPECTED", on=at("2025-09-01"), why="curricular training lies inside the program")
def f1_curricular_training_extends_nothing(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-05-01"), "F1", "curricular-training", d("2026-08-30"))


@right("TERMINATED", on=at("2025-09-01"), why="training counts up to a later termination and not beyond it")
def f1_terminated_during_training(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-06-01"), "F1", "practical-training", d("2026-05-30"))
    w.sevis("program", "sevis_terminated", d("2025-08-01"), "F1", "violation")


@right("IN_STATUS", on=at("2026-05-01"), why="a reactivation undoes a termination by being later")
def f1_reactivated(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "F1", "violation")
    w.sevis("program", "sevis_active", d("2026-04-15"), "F1", "reactivated", d("2028-05-31"))


@right("UNDETERMINED", on=at("2026-05-01"), why="an administrative end says neither violation nor grace")
def f1_terminated_administratively(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "F1", "administrative")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="22 CFR 62.23(f): academic training, then thirty days")
def j1_left_thirty_days_behind_training(w: World) -> None:
    came(w, "J1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "J1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-06-15"), "J1", "academic-training", d("2026-05-31"))
    left_on(w, "2026-06-30", "LAX")


# --- what is taken back, what is known, what is complete -------------------------------------------------------------


def _retract(w: World, event: Event) -> None:
    again = {**event, "revision": {"number": 2, "digest": ""}, "operation": "retract"}
    w.events.append(again)
    w.reseal(again)


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="a departure taken back is as if it had never been sent")
def departure_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-01"), evidence="manifest_closed")
    _retract(w, w.events[-1])


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="a filing voided did not happen")
def filing_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    _retract(w, w.events[-1])


@right("DEPARTED_LATE", on=at("2026-08-01"), why="the later revision replaces the day")
def departure_corrected_to_a_day_later(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-09", 20))
    moved = {
        **w.events[-1],
        "revision": {"number": 2, "digest": ""},
        "occurred_at": w.at(at("2026-07-10", 20), "America/New_York"),
    }
    w.events.append(moved)
    w.reseal(moved)


@right(
    "PENDING",
    on=at("2026-08-01"),
    known_at=datetime(2026, 8, 15, tzinfo=UTC),
    why="what was known by then: the denial was not",
)
def denial_not_yet_known(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-07-20", "denied")
    w.events[-1]["published_at"] = "2026-08-20T12:00:00Z"
    for event in w.events[:-1]:
        event["published_at"] = "2026-07-25T12:00:00Z"


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="nobody vouches for departures by land")
def land_is_not_covered(w: World) -> None:
    w.cover(LONG_AGO, KNOWN, ("air", "sea"))
    came(w, "B2", "2026-07-09")


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="complete only up to the middle of the last day")
def covered_up_to_the_last_day(w: World) -> None:
    w.cover(LONG_AGO, at("2026-07-09"))
    came(w, "B2", "2026-07-09")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), covered=False, why="complete past the end, though not up to today")
def covered_past_the_end(w: World) -> None:
    w.cover(LONG_AGO, at("2026-07-12"))
    came(w, "B2", "2026-07-09")


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="an hour that nobody vouches for")
def covered_with_a_hole(w: World) -> None:
    w.cover(LONG_AGO, at("2026-03-01", 12))
    w.cover(at("2026-03-01", 13), KNOWN)
    came(w, "B2", "2026-07-09")


@right(
    "DEPARTURE_UNKNOWN",
    on=at("2026-08-15"),
    covered=False,
    why="8 CFR 217.3(a): who left within the days granted, untold, is no overstayer",
)
def covered_past_the_ninety_days_but_not_past_those_granted(w: World) -> None:
    w.cover(LONG_AGO, at("2026-07-20"))
    came(w, "WT", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-05"), until=d("2026-08-08"))


# --- one period after another ----------------------------------------------------------------------------------------


@right(
    "IN_GRACE", on=at("2026-10-15"), why="8 CFR 214.1(l)(2): once for each authorised period; the second has its own"
)
def second_period_second_sixty_days(w: World) -> None:
    came(w, "H1B", "2026-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-01-15"))
    files(w, "2026-02-01", form="I-129", receipt="WAC0000000002")
    decides(
        w,
        "2026-03-01",
        "approved",
        cls="H1B",
        until="2028-03-01",
        valid="2026-03-01",
        form="I-129",
        receipt="WAC0000000002",
    )
    w.fact("employment_ended", d("2026-09-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="and behind the granted date nothing")
def extended_and_over_again(w: World) -> None:
    came(w, "B2", "2026-05-09")
    files(w, "2026-05-01")
    decides(w, "2026-06-20", "approved", until="2026-11-09")


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.1(c)(4): granted from the day on which the stay before expired")
def granted_back_to_the_date(w: World) -> None:
    came(w, "B2", "2026-05-09")
    files(w, "2026-05-01")
    decides(w, "2026-06-20", "approved", until="2026-11-09", valid="2026-05-10")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-10-01"),
    why="a pending filing of the stay before protects no later stay",
)
def filing_of_the_stay_before(w: World) -> None:
    came(w, "B2", "2026-03-09")
    files(w, "2026-03-01")
    left(w, at("2026-03-20"))
    came(w, "B2", "2026-09-09", "2026-04-10")


@right(
    "DEPARTED_IN_TIME",
    "IN_STATUS",
    on=at("2026-08-01"),
    why="an approval for the stay before grants the later one nothing",
)
def approval_of_the_stay_before(w: World) -> None:
    came(w, "B2", "2026-03-09")
    files(w, "2026-03-01")
    left(w, at("2026-03-05"))
    came(w, "H1B", "2026-09-09", "2026-04-10")
    decides(w, "2026-05-01", "approved", until="2026-07-01")


@right(
    "CLOSED_UNOBSERVED", "IN_STATUS", on=at("2026-10-01"), why="the employment that ended was that of the stay before"
)
def employment_of_the_stay_before(w: World) -> None:
    came(w, "H1B", "2026-12-09", "2025-03-10")
    w.fact("employment_ended", d("2026-01-15"))
    came(w, "H1B", "2028-09-09", "2026-04-10")


# --- granted to a day before the decision; what is pending whatever else is filed ------------------------------------


def short_extension(w: World) -> None:
    """Admitted to 25 April, asked in time, and granted on 26 July to 24 June."""
    came(w, "B2", "2026-04-25")
    files(w, "2026-04-20")
    decides(w, "2026-07-26", "approved", until="2026-06-24")


@right("PENDING", on=at("2026-07-25"), why="a period of authorised stay until decided: 8 CFR 214.1(c)(4)")
def granted_to_a_day_before_the_decision(w: World) -> None:
    short_extension(w)


@right("OVERSTAY_SUSPECTED", on=at("2026-07-27"), why="behind the decision nothing is pending, and the date is over")
def granted_to_a_day_before_the_decision_still_there(w: World) -> None:
    short_extension(w)


@right("DEPARTED_IN_TIME", on=at("2026-09-01"), why="left while it was pending, behind the date granted later")
def granted_to_a_day_before_the_decision_left_meanwhile(w: World) -> None:
    short_extension(w)
    left(w, at("2026-07-19"))


@right("DEPARTED_LATE", on=at("2026-09-01"), why="left behind the decision and the date")
def granted_to_a_day_before_the_decision_left_after(w: World) -> None:
    short_extension(w)
    left(w, at("2026-07-28"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-25"), why="filed late, it is no authorised stay while it is pending")
def granted_to_a_day_before_the_decision_filed_late(w: World) -> None:
    came(w, "B2", "2026-04-25")
    files(w, "2026-05-20")
    decides(w, "2026-07-26", "approved", until="2026-06-24")


def adjusting_and_a_late_petition(w: World) -> None:
    """A P-1 whose employment ended asks for adjustment, then for an extension."""
    came(w, "P1", "2026-12-01", "2026-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    files(w, "2026-04-02", "adjust", form="I-485")
    files(w, "2026-04-03", "extend", form="I-129", receipt="IOE0000000002")


@right("PENDING", on=at("2026-07-01"), why="INA 245: an adjustment is pending whatever else is filed, and however late")
def p1_adjustment_and_a_late_petition(w: World) -> None:
    adjusting_and_a_late_petition(w)


@right("TERMINATED", on=at("2026-04-01"), why="and before it was filed nothing is pending")
def p1_before_its_adjustment_is_filed(w: World) -> None:
    adjusting_and_a_late_petition(w)


@right("PENDING", on=at("2026-09-01"), why="INA 212(a)(9)(B)(iv) speaks of extensions and changes; AFM 40.9.2(b)(3)(A)")
def worked_while_adjusting(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", "adjust", form="I-485")
    w.fact("unauthorised_work", d("2026-07-20"))


@right(
    "IN_GRACE", on=at("2026-05-05"), why="8 CFR 214.2(h)(13)(i)(A): thirty days; nothing is pending before it is filed"
)
def h2b_petition_filed_within_the_thirty_days(w: World) -> None:
    came(w, "H2B", "2026-05-04", "2026-01-10")
    w.fact("employment_ended", d("2026-03-28"))
    files(w, "2026-05-26", form="I-129")


@right("DEPARTED_IN_TIME", on=at("2026-05-01"), why="left inside the date on the I-94, whatever SEVIS tells later")
def f2_to_a_date_and_sevis_reports_later(w: World) -> None:
    came(w, "F2", "2026-03-06", "2026-01-10")
    left(w, at("2026-03-05"))
    w.sevis("program", "sevis_active", d("2026-03-20"), "F2", "extended", d("2027-05-15"))


@right(
    "DEPARTED_LATE", on=at("2026-05-01"), why="8 CFR 214.3(l), 214.2(f)(5)(iv): the date is over and the program ended"
)
def f1_to_a_date_that_is_over_then_terminated(w: World) -> None:
    came(w, "F1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "F1", "created", d("2027-05-15"))
    w.sevis("program", "sevis_terminated", d("2026-03-31"), "F1", "violation")
    left(w, at("2026-04-02"))


@right("DEPARTED_IN_TIME", on=at("2026-05-01"), why="terminated, and left before the date on the I-94")
def f1_to_a_date_terminated_and_left_before_it(w: World) -> None:
    came(w, "F1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "F1", "created", d("2027-05-15"))
    w.sevis("program", "sevis_terminated", d("2026-01-31"), "F1", "violation")
    left(w, at("2026-02-07"))
