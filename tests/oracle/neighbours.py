"""Histories written anew from the text of the law, by a reader who had not seen the rules or the other histories."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from oracle.cousins import again, mended, program
from oracle.histories import World
from oracle.kin import notified, paroled, protected
from oracle.reading import Event
from oracle.siblings import ALL as SIBLINGS
from oracle.siblings import Sibling, at, came, d, decides, files, left, left_on, right

_EARLIER = len(SIBLINGS)
ZONES = {
    "ANC": "America/Anchorage",
    "ADK": "America/Adak",
    "SJU": "America/Puerto_Rico",
    "SPN": "Pacific/Saipan",
    "PPG": "Pacific/Pago_Pago",
    "ORD": "America/Chicago",
    "PHX": "America/Phoenix",
}
"""Ports beside those of the random histories."""


def clock(day: str, at: str, port: str) -> datetime:
    """An instant by the clock of one of the further ports."""
    return datetime.combine(d(day), time.fromisoformat(at), ZoneInfo(ZONES[port])).astimezone(UTC)


def at_port(w: World, event: Event, port: str, day: str, hour: str) -> None:
    """Say of an event that it happened at a further port."""
    instant = clock(day, hour, port).isoformat().replace("+00:00", "Z")
    event["occurred_at"] = {"precision": "instant", "zone": ZONES[port], "at": instant}
    event["port"] = port
    w.reseal(event)


def came_to(w: World, port: str, cls: str, until: str | None, day: str, hour: str = "12:00") -> None:
    """Admitted at a further port."""
    came(w, cls, until, day)
    at_port(w, w.events[-1], port, day, hour)


def left_from(w: World, port: str, day: str, hour: str, evidence: str = "inspected") -> None:
    """Left from a further port."""
    at_port(w, w.depart(d(day), evidence, port="JFK", whole_day=False), port, day, hour)


def refused(w: World, day: str, inspection: str = "refused", port: str = "JFK") -> None:
    """Applied for admission in vain."""
    w.arrive(d(day), "B2", None, port=port, inspection=inspection, at=at(day, port=port))


def adjusting(w: World, day: str, action: str = "filed") -> None:
    """A step of an application for permanent residence."""
    w.step("IOE0000000009", action, d(day), asks="adjust", form="I-485", system="ELIS")


# --- applications for admission in vain ------------------------------------------------------------------------------


@right("DEPARTED_LATE", "NOT_ADMITTED", on=at("2026-11-20"), why="INA 235(a)(4): withdrawn; the stay before was late")
def left_late_then_withdrew(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-20"))
    refused(w, "2026-11-02", "withdrawn")
    left(w, at("2026-11-03"))


@right("CLOSED_UNOBSERVED", "NOT_ADMITTED", on=at("2026-06-01"), why="INA 235(a)(1): who applies is outside")
def refused_inside_the_date_of_an_open_stay(w: World) -> None:
    came(w, "B2", "2026-07-09")
    refused(w, "2026-05-04")
    left(w, at("2026-05-05"), evidence="removal")


@right("NOT_ADMITTED", "IN_STATUS", on=at("2026-06-01"), why="INA 235(b): the refusal is no stay, the admission is")
def refused_then_admitted_later(w: World) -> None:
    refused(w, "2026-03-02")
    came(w, "B2", "2026-09-30", "2026-04-01")


@right("NOT_ADMITTED", "OVERSTAY_SUSPECTED", on=at("2026-10-02"), why="the refusal's removal is not that of the stay")
def refused_and_removed_then_admitted_and_over(w: World) -> None:
    refused(w, "2026-03-02")
    left(w, at("2026-03-03"), evidence="removal")
    came(w, "B2", "2026-10-01", "2026-04-01")


@right("NOT_ADMITTED", on=at("2026-06-01"), why="nobody was admitted, nothing is over")
def withdrawn_and_no_departure_known(w: World) -> None:
    refused(w, "2026-03-02", "withdrawn")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-01", 12), why="before the application in vain the stay was open and over")
def refused_later_than_asked_about(w: World) -> None:
    came(w, "B2", "2026-07-09")
    refused(w, "2026-11-02")


@right("DEPARTED_IN_TIME", "NOT_ADMITTED", on=at("2026-11-20"), why="left by a carrier on the last day; removed later")
def manifest_then_refused_and_removed(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    left(w, at("2026-07-09", 20), evidence="manifest_closed")
    refused(w, "2026-11-02", port="LAX")
    left(w, at("2026-11-03", port="LAX"), "LAX", "removal")


@right("CLOSED_UNOBSERVED", "IN_STATUS", on=at("2026-11-20"), why="paroled: an application for admission all the same")
def paroled_while_a_stay_was_open(w: World) -> None:
    came(w, "B2", "2026-07-09")
    paroled(w, "DT", "2026-12-15", "2026-11-02")


@right("NOT_ADMITTED", "DEPARTED_LATE", on=at("2026-11-20"), why="a departure behind the later admission is its own")
def withdrew_in_guam_admitted_in_honolulu(w: World) -> None:
    refused(w, "2026-03-02", "withdrawn", "GUM")
    left(w, at("2026-03-02", 22, port="GUM"), "GUM")
    came(w, "B2", "2026-10-01", "2026-04-01", "HNL")
    left(w, at("2026-10-02", 0, 30, "HNL"), "HNL")


# --- days where they happen ------------------------------------------------------------------------------------------

WHERE = "the day of a departure is the local day where it happened"


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why=WHERE)
def left_adak_in_the_last_hour(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left_from(w, "ADK", "2026-07-09", "23:45")


@right("DEPARTED_LATE", on=at("2026-08-01"), why=WHERE)
def left_adak_on_the_next_day(w: World) -> None:
    came_to(w, "ANC", "B2", "2026-07-09", "2026-01-12")
    left_from(w, "ADK", "2026-07-10", "00:10")


@right("DEPARTED_LATE", on=at("2026-03-01"), why=WHERE + ": San Juan is an hour ahead of New York in winter")
def left_san_juan_behind_midnight(w: World) -> None:
    came(w, "B2", "2026-01-09", "2025-08-12")
    left_from(w, "SJU", "2026-01-10", "00:20")


@right("DEPARTED_IN_TIME", on=at("2026-03-01"), why=WHERE)
def left_new_york_when_it_was_tomorrow_in_san_juan(w: World) -> None:
    came_to(w, "SJU", "B2", "2026-01-09", "2025-08-12")
    left(w, at("2026-01-09", 23, 40))


@right("DEPARTED_LATE", on=at("2026-08-01"), why=WHERE + ": the tenth in Saipan is the ninth in Chicago")
def left_saipan_when_it_was_the_ninth_in_chicago(w: World) -> None:
    came_to(w, "ORD", "B2", "2026-07-09", "2026-01-12")
    left_from(w, "SPN", "2026-07-10", "06:00")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why=WHERE + ": the ninth in Phoenix is the tenth in Saipan")
def admitted_in_saipan_left_phoenix(w: World) -> None:
    came_to(w, "SPN", "B2", "2026-07-09", "2026-01-12")
    left_from(w, "PHX", "2026-07-09", "23:59:59")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="known to the day only: the tenth is behind the ninth anywhere")
def day_alone_is_the_day_behind(w: World) -> None:
    came(w, "B2", "2026-07-09", port="HNL")
    left_on(w, "2026-07-10", "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="ninety days, the first being that of the arrival there")
def wt_without_a_date_came_to_honolulu_before_midnight(w: World) -> None:
    w.arrive(d("2026-04-11"), "WT", None, port="HNL", at=at("2026-04-11", 23, 50, "HNL"))
    left(w, at("2026-07-09", 23, 30))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="INA 217(a)(1): ninety days; the ninety-first")
def wt_without_a_date_left_a_day_late(w: World) -> None:
    w.arrive(d("2026-04-11"), "WT", None, port="HNL", at=at("2026-04-11", 23, 50, "HNL"))
    left(w, at("2026-07-10", 0, 5, "HNL"), "HNL")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="INA 252(a)(2): twenty-nine days, at the crew's port")
def d1_left_anchorage_on_the_twenty_ninth_day(w: World) -> None:
    came_to(w, "ANC", "D1", None, "2026-06-11", "23:30")
    left_from(w, "ANC", "2026-07-09", "23:30")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(c): twenty-nine days at most")
def c1_left_on_the_thirtieth_day(w: World) -> None:
    came(w, "C1", None, "2026-06-11")
    left(w, at("2026-07-10", 0, 10))


# --- corrections by the inspecting agency ----------------------------------------------------------------------------

MENDED = "the inspecting agency mends its own record (I-94, X)"


@right("DEPARTED_LATE", on=at("2026-09-01"), why=MENDED + ", to an earlier date")
def h4_mended_to_an_earlier_date_and_left_between(w: World) -> None:
    came(w, "H4", "2026-10-09")
    mended(w, "2026-07-09", None, "2026-02-02")
    left(w, at("2026-08-03"))


@right("OVERSTAY_SUSPECTED", on=at("2026-09-01"), why=MENDED + ", and takes that back")
def correction_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    mended(w, "2026-12-01", None, "2026-02-02")
    again(w, w.events[-1], operation="retract")


@right("IN_STATUS", on=at("2026-09-01"), why=MENDED + ": A-2 instead of B-2, duration of status")
def b2_mended_to_a2(w: World) -> None:
    came(w, "B2", "2026-07-09")
    mended(w, "D/S", "A2", "2026-01-13")


@right("IN_STATUS", on=at("2026-09-01"), why=MENDED + ": crew that was a visitor")
def d1_mended_to_b1(w: World) -> None:
    came(w, "D1", "2026-02-09")
    mended(w, "2026-10-09", "B1", "2026-01-20")


@right("OVERSTAY_SUSPECTED", on=at("2026-09-01"), why=MENDED + ": the waiver instead of a visa, ninety days")
def b2_mended_to_wt(w: World) -> None:
    came(w, "B2", "2026-07-09")
    mended(w, "2026-04-11", "WT", "2026-01-13")
    files(w, "2026-04-01", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why=MENDED + " behind the end: parole, given anew on its last day")
def reparoled_on_the_last_day_and_left(w: World) -> None:
    paroled(w, "DT", "2026-07-09")
    mended(w, "2026-10-09", None, "2026-07-09")
    left(w, at("2026-10-09", 22))


# --- employment ------------------------------------------------------------------------------------------------------


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="INA 222(g): the period is the date on the I-94")
def h1b_left_on_the_ninetieth_day(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-06-13"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="and behind that date an overstay")
def o1_left_behind_the_date(w: World) -> None:
    came(w, "O1", "2026-10-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-10-02"))


@right("PENDING", on=at("2026-06-01"), why="INA 245: an adjustment filed inside the sixty days, behind them")
def l1_adjustment_filed_in_the_sixty_days(w: World) -> None:
    came(w, "L1", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    adjusting(w, "2026-05-13")


@right("TERMINATED", on=at("2026-06-01"), why="8 CFR 248.1(b): filed behind the sixty days, status is not maintained")
def tn_change_filed_on_the_sixty_first_day(w: World) -> None:
    came(w, "TN", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    files(w, "2026-05-15", "change_class", "B2", system="ELIS")


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 248.1(b): granted in discretion, the new class holds")
def h1b_change_to_f1_granted(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    program(w, "F1", "2028-05-31", "2026-05-01")
    w.fact("employment_ended", d("2026-03-15"))
    files(w, "2026-05-10", "change_class", "F1", system="ELIS")
    decides(w, "2026-07-20", "approved", "change_class", "F1", "D/S", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="an employment that ends behind the departure ends no stay")
def employment_ended_behind_the_departure(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    left(w, at("2026-03-01"))
    w.fact("employment_ended", d("2026-03-15"))


@right("IN_STATUS", on=at("2026-06-15"), why="8 CFR 214.2(h)(2)(i)(H): the new employer's petition was granted")
def ported_and_granted_behind_the_sixty_days(w: World) -> None:
    came(w, "H1B", "2026-12-31", "2025-01-10")
    files(w, "2026-03-20", form="I-129", receipt="WAC0000000002", system="ELIS")
    w.fact("employment_ended", d("2026-03-15"))
    decides(w, "2026-06-10", "approved", until="2028-12-31", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-02"), why="ported, the date came while it was pending, then denied")
def ported_and_denied_behind_the_date(w: World) -> None:
    came(w, "H1B", "2026-07-09", "2025-01-10")
    files(w, "2026-06-01", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, "2026-08-01", "denied", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("PENDING", on=at("2026-07-20"), why="8 CFR 214.2(h)(2)(i)(H): undecided behind the date")
def ported_and_pending_behind_the_date(w: World) -> None:
    came(w, "H1B", "2026-07-09", "2025-01-10")
    files(w, "2026-06-01", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, "2026-08-01", "denied", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.1(l)(2): the sixtieth day, where he left")
def e2_left_guam_on_the_sixtieth_day(w: World) -> None:
    came(w, "E2", "2026-05-14", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-05-14", 23, 30, "GUM"), "GUM")


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.2(h)(9)(iv): the spouse has no employment on which H-4 rests")
def h4_own_work_ended(w: World) -> None:
    came(w, "H4", "2026-10-09")
    w.fact("employment_ended", d("2026-03-15"))


# --- filings ---------------------------------------------------------------------------------------------------------


@right("PENDING", on=at("2026-03-01"), why="8 CFR 1.2: Saturday, Sunday, Monday the holiday of King; Tuesday counts")
def paper_on_tuesday_behind_king_day(w: World) -> None:
    came(w, "B2", "2026-01-17", "2025-07-18")
    files(w, "2026-01-20")


@right("OVERSTAY_SUSPECTED", on=at("2026-03-01"), why="8 CFR 1.2: Wednesday is too late")
def paper_on_wednesday_behind_king_day(w: World) -> None:
    came(w, "B2", "2026-01-17", "2025-07-18")
    files(w, "2026-01-21")


@right("PENDING", on=at("2026-03-01"), why="8 CFR 1.2: Thursday the first of January, paper on Friday the second")
def paper_behind_new_year(w: World) -> None:
    came(w, "H4", "2026-01-01", "2025-02-03")
    files(w, "2026-01-02")


@right("PENDING", on=at("2026-11-20"), why="policy of 27 August 2024 and 8 CFR 1.2: the sixtieth day is a Saturday")
def f1_change_on_paper_behind_a_saturday(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2026-06-02")
    files(w, "2026-08-03", "change_class", "B2")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 214.1(c)(4): late; an untimely filing stays nothing")
def extension_filed_a_day_late(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-10", system="ELIS")


@right("IN_STATUS", on=at("2026-11-20"), why="8 CFR 214.1(c)(4): excused; granted from the day on which it ended")
def extension_filed_late_and_granted(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-30", system="ELIS")
    decides(w, "2026-10-01", "approved", until="2027-01-09", valid="2026-07-10", system="ELIS")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="late and denied: nothing at any time")
def extension_filed_late_and_denied(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-30", system="ELIS")
    left(w, at("2026-08-20"))
    decides(w, "2026-10-01", "denied", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="the first was frivolous and denied: the second was late")
def second_filing_on_a_frivolous_bridge(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    files(w, "2026-08-03", "change_class", "F1", receipt="IOE0000000002", system="ELIS")
    decides(w, "2026-09-01", "denied", system="ELIS")
    w.fact("frivolous_filing", d("2026-09-01"), receipt="IOE0000000001")


@right("PENDING", on=at("2026-11-20"), why="the first was granted past the second's filing, which was in time by it")
def bridge_granted_and_the_second_pending(w: World) -> None:
    came(w, "L2", "2026-07-09", "2025-07-10")
    files(w, "2026-07-01", system="ELIS")
    files(w, "2026-08-03", "change_class", "F1", receipt="IOE0000000002", system="ELIS")
    decides(w, "2026-09-01", "approved", until="2026-10-09", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="authorised up to the denial, whose day counts whole where he left")
def left_honolulu_on_the_day_of_the_denial(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    decides(w, "2026-09-01", "denied", system="ELIS")
    left(w, at("2026-09-01", 23, 50, "HNL"), "HNL")


@right(
    "DEPARTED_LATE",
    on=at("2026-11-20"),
    why="INA 212(a)(9)(B)(iv): worked while it was pending, left before the answer",
)
def worked_and_left_while_pending(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    w.fact("unauthorised_work", d("2026-07-20"))
    left(w, at("2026-08-20"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 214.1(c)(3)(iv), INA 248(a)(1): nothing is open to K-2")
def k2_change_gives_nothing(w: World) -> None:
    came(w, "K2", "2026-07-09", "2026-04-11")
    files(w, "2026-07-01", "change_class", "F2", system="ELIS")


@right("PENDING", on=at("2026-11-20"), why="8 CFR 214.2(q)(5), (r)(5): extended by the petitioner's I-129")
def r1_extension_pending(w: World) -> None:
    came(w, "R1", "2026-07-09", "2024-07-10")
    files(w, "2026-07-08", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2026-09-01"), why="INA 248: a change to U is open to who has no status to change from")
def overstayer_given_u1(w: World) -> None:
    came(w, "B2", "2026-03-09", "2025-09-10")
    files(w, "2026-06-01", "change_class", "U1", form="I-918", system="ELIS")
    decides(
        w, "2026-08-03", "approved", "change_class", "U1", "2030-08-02", form="I-918", valid="2026-08-03", system="ELIS"
    )


@right("DEPARTED_LATE", on=at("2026-11-20"), why="INA 212(a)(9)(B)(iv): frivolous and withdrawn, nothing at any time")
def frivolous_withdrawn_and_left_before(w: World) -> None:
    came(w, "B1", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    left(w, at("2026-07-20"))
    decides(w, "2026-08-03", "withdrawn", system="ELIS")
    w.fact("frivolous_filing", d("2026-08-03"), receipt="IOE0000000001")


# --- students --------------------------------------------------------------------------------------------------------


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(f)(8): transferred inside the sixty days, a new program")
def f1_transferred_in_the_grace(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2026-06-02", "2024-06-01")
    w.sevis("program", "sevis_active", d("2026-07-20"), "F1", "transferred", d("2028-05-31"))


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(f)(5)(ii): another level, the next degree")
def f1_next_level(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2026-06-02", "2024-06-01")
    w.sevis("program", "sevis_active", d("2026-05-20"), "F1", "change-of-level", d("2028-05-31"))


@right("IN_GRACE", on=at("2026-06-15"), why="8 CFR 214.2(f)(5)(iv): shortened, sixty days behind the new end")
def f1_shortened(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2027-06-02", "2024-06-01")
    w.sevis("program", "sevis_active", d("2026-04-20"), "F1", "shortened", d("2026-05-29"))


@right(
    "DEPARTED_IN_TIME",
    on=at("2026-11-20"),
    why="8 CFR 248.1(b): a change filed in the sixty days, pending when he left",
)
def f1_left_while_a_change_waits(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2026-05-31")
    files(w, "2026-07-30", "change_class", "B2", system="ELIS")
    left(w, at("2026-09-30"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(j)(1)(ii): thirty days; the thirty-first, in Guam")
def j1_left_guam_on_the_thirty_first_day(w: World) -> None:
    came(w, "J1", "D/S", "2025-08-12")
    program(w, "J1", "2026-05-31")
    left(w, at("2026-07-01", 6, port="GUM"), "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.2(j)(1)(ii): thirty days; the thirtieth, in Honolulu")
def j2_left_honolulu_on_the_thirtieth_day(w: World) -> None:
    came(w, "J2", "D/S", "2025-08-12")
    program(w, "J2", "2026-05-31")
    left(w, at("2026-06-30", 23, 30, "HNL"), "HNL")


@right("PENDING", on=at("2026-11-20"), why="8 CFR 214.2(m)(10): an extension filed inside the date")
def m1_extension_pending(w: World) -> None:
    came(w, "M1", "2026-07-09")
    program(w, "M1", "2026-06-09", "2025-11-01")
    files(w, "2026-06-01", system="ELIS")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(m)(5): the date holds; a day behind it in Guam")
def m2_left_a_day_late(w: World) -> None:
    came(w, "M2", "2026-07-09")
    program(w, "M2", "2026-06-09", "2025-11-01")
    left(w, at("2026-07-10", 1, port="GUM"), "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="the date on the I-94 holds, terminated or not")
def m2_terminated_and_left_on_the_last_day(w: World) -> None:
    came(w, "M2", "2026-07-09")
    program(w, "M2", "2026-06-09", "2025-11-01")
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M2", "violation")
    left(w, at("2026-07-09", 23, 30, "HNL"), "HNL")


@right("UNDETERMINED", on=at("2026-11-20"), why="a program that ends before its form was issued is an impossible date")
def f1_program_ends_before_its_form(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2024-05-31", "2025-06-01")


# --- cap-gap ---------------------------------------------------------------------------------------------------------


@right(
    "PENDING",
    on=at("2026-04-02"),
    why="8 CFR 214.2(f)(5)(vi): ends on 1 April; then as USCIS said on 28 September 2018",
)
def cap_gap_over_and_still_pending(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("PENDING", on=at("2026-04-15"), why="8 CFR 214.2(h)(2)(i)(I): filed in November, so of the year that runs")
def cap_gap_of_the_year_that_runs(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-11-30", "2024-06-01")
    files(w, "2025-11-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2026-04-01", 22), why="the same, to 1 April")
def cap_gap_of_the_year_that_runs_last_day(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-11-30", "2024-06-01")
    files(w, "2025-11-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("IN_GRACE", on=at("2025-11-20"), why="sixty days behind the withdrawal")
def cap_gap_withdrawn(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-10-20", "withdrawn", "change_class", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2025-08-20"), why="granted in July from October: carried over between")
def cap_gap_granted_and_not_begun(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-07-10", "approved", "change_class", "H1B", "2028-09-30", "2025-10-01", form="I-129", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.2(f)(5)(vi): left in the cap-gap")
def left_in_the_cap_gap(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    left(w, at("2026-02-10"))


# --- departures that are contradicted --------------------------------------------------------------------------------


@right("UNDETERMINED", on=at("2026-11-20"), why="fingerprints taken in the country by appointment, after a manifest")
def biometrics_taken_after_a_manifest(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest_closed")
    w.fact("biometrics_taken", d("2026-08-03"))


@right("UNDETERMINED", on=at("2026-11-20"), why="INA 208(a)(1): of an alien who is physically present")
def asylum_asked_for_after_a_manifest(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest_closed")
    w.fact("asylum_pending", d("2026-08-03"))


@right(
    "DEPARTED_IN_TIME", on=at("2026-11-20"), why="INA 244(f)(3): protected status is renewed while its holder travels"
)
def protected_status_renewed_after_a_manifest(w: World) -> None:
    w.citizenship = "UKR"
    came(w, "B2", "2026-07-09")
    w.fact("tps", d("2026-02-02"), until=d("2026-10-19"))
    left(w, at("2026-06-01"), evidence="manifest_closed")
    w.fact("tps", d("2026-08-03"), until=d("2027-10-19"))


@right(
    "UNDETERMINED", on=at("2026-11-20"), why="8 CFR 287.7(a): a detainer seeks custody of an alien in that of another"
)
def detainer_lodged_after_a_manifest(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest")
    w.fact("detainer_lodged", d("2026-08-03"))


@right("IN_STATUS", on=at("2026-09-01"), why="the class alone was mended: the date on the I-94 stays")
def class_alone_mended(w: World) -> None:
    came(w, "B2", "2026-10-09")
    event = w.correct(d("2026-02-02"), d("2026-10-09"), "B1")
    del event["granted_until"]
    w.reseal(event)


@right("UNDETERMINED", on=at("2026-11-20"), why="8 CFR 214.1(c): more time is asked for in the country")
def filed_after_a_manifest(w: World) -> None:
    came(w, "H1B", "2027-07-09")
    left(w, at("2026-06-01"), evidence="manifest")
    files(w, "2026-08-03", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="a visa is given abroad: it contradicts nothing")
def visa_given_abroad_after_a_manifest(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest_closed")
    w.fact("visa_issued", d("2026-08-03"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="an officer met her: the manifest was false")
def arrested_after_a_manifest(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest_closed")
    w.fact("arrested", d("2026-08-03"))


@right("DEPARTED_IN_TIME", "IN_STATUS", on=at("2026-11-20"), why="fingerprints of the next stay contradict nothing")
def biometrics_in_the_next_stay(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest_closed")
    came(w, "F1", "D/S", "2026-08-01")
    program(w, "F1", "2028-05-31", "2026-05-01")
    w.fact("biometrics_taken", d("2026-08-20"))


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="the officer at the gate says more than fingerprints missed")
def inspected_departure_and_biometrics_later(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="biometric")
    w.fact("biometrics_taken", d("2026-08-03"))


# --- Canadians by land -----------------------------------------------------------------------------------------------


@right("DEPARTED_IN_TIME", "IN_STATUS", on=at("2026-08-01"), why="8 CFR 235.1(h)(1)(i): six months from the last entry")
def canadian_twice_by_land(w: World) -> None:
    w.citizenship = "CAN"
    w.arrive(d("2026-01-12"), "B2", None, port="CHM", mode="land", numbered=False, at=at("2026-01-12"))
    w.depart(d("2026-03-02"), "foreign_entry", port="CHM", mode="land", whole_day=False)
    w.arrive(d("2026-03-20"), "B2", None, port="CHM", mode="land", numbered=False, at=at("2026-03-20"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 235.1(h)(1)(i): six months, and a day")
def canadian_left_behind_six_months(w: World) -> None:
    w.citizenship = "CAN"
    w.arrive(d("2026-01-12"), "B1", None, port="CHM", mode="land", numbered=False, at=at("2026-01-12"))
    left_on(w, "2026-07-14")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="the first departure ended it, where he came back by land untold")
def canadian_left_by_land_then_by_air_much_later(w: World) -> None:
    w.citizenship = "CAN"
    came(w, "B2", "2026-07-09")
    w.depart(d("2026-03-02"), "foreign_entry", port="CHM", mode="land", whole_day=False)
    left(w, at("2026-09-20"), evidence="biometric")


# --- dates in classes of duration of status --------------------------------------------------------------------------


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(g)(1): the date on the I-94 counts wherever there is one")
def g4_with_a_date_left_late(w: World) -> None:
    came(w, "G4", "2026-07-09")
    left(w, at("2026-07-10", 8))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="8 CFR 214.2(s)(1): a date on the I-94 counts")
def n3_with_a_date_over(w: World) -> None:
    came(w, "N3", "2026-07-09")


@right("IN_STATUS", on=at("2026-07-09", 23, 59), why="85 FR 27645, 87 FR 61959: to the date, its last minute")
def i_of_the_prc_last_minute(w: World) -> None:
    w.citizenship = "CHN"
    came(w, "I", "2026-07-09")


@right("UNDETERMINED", on=at("2026-07-10"), why="8 CFR 214.3(l): a date for want of papers, and the program runs")
def j2_to_a_date_over_program_active(w: World) -> None:
    came(w, "J2", "2026-02-11")
    program(w, "J2", "2027-05-31")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="left before the date for want of papers")
def f2_to_a_date_left_before_it(w: World) -> None:
    came(w, "F2", "2026-02-11")
    program(w, "F2", "2027-05-31")
    left(w, at("2026-02-11", 23))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="the date on the I-94 counts wherever there is one")
def palauan_with_a_date_over(w: World) -> None:
    w.citizenship = "PLW"
    came(w, "PAL", "2026-07-09", port="GUM")


# --- protections -----------------------------------------------------------------------------------------------------


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-07-28", 12), why="90 FR 54733, in force on 27 July 2026: class TPS on the I-94"
)
def class_tps_of_haiti_ended_by_notice(w: World) -> None:
    w.citizenship = "HTI"
    came(w, "TPS", "2027-02-03", "2025-09-10")


@right("IN_STATUS", on=at("2026-07-26", 12), why="90 FR 54733 was stayed up to then")
def class_tps_of_haiti_before_the_order(w: World) -> None:
    w.citizenship = "HTI"
    came(w, "TPS", "2026-12-03", "2025-09-10")


@right("OVERSTAY_SUSPECTED", on=at("2025-09-09"), why="90 FR 30089: 8 September 2025")
def tps_of_honduras_behind_the_notice(w: World) -> None:
    protected(w, "HND", "2026-07-05")


@right("OVERSTAY_SUSPECTED", on=at("2025-11-08"), why="90 FR 43225: 7 November 2025")
def tps_of_venezuela_behind_the_notice(w: World) -> None:
    protected(w, "VEN", "2026-10-01")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="90 FR 50484; 7 August 2026")
def south_sudanese_left_behind_the_order(w: World) -> None:
    protected(w, "SSD", "2027-05-03")
    left(w, at("2026-08-08"))


@right("PENDING", on=at("2026-11-20"), why="INA 212(a)(9)(B)(iii)(II): asylum pending behind an ended designation")
def tps_of_haiti_ended_with_asylum_pending(w: World) -> None:
    protected(w, "HTI", "2027-02-03")
    w.fact("asylum_pending", d("2026-03-02"))


@right("PENDING", on=at("2026-09-01"), why="8 CFR 236.21(c)(3): deferred action, a period of authorised stay")
def deferred_action(w: World) -> None:
    came(w, "B2", "2005-07-09", "2005-01-10")
    w.fact("deferred_action", d("2025-03-03"), until=d("2027-03-02"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="deferred action was over when he left")
def deferred_action_over_and_left(w: World) -> None:
    came(w, "B2", "2005-07-09", "2005-01-10")
    w.fact("deferred_action", d("2024-03-03"), until=d("2026-03-02"))
    left(w, at("2026-03-04"))


@right("IN_STATUS", on=at("2026-03-01"), why="INA 221(i), 237(a)(1)(B): a visa revoked moves no date on the I-94")
def visa_revoked_inside_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("visa_revoked", d("2026-02-02"))


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 217.3(a): a departure within the days granted, day alone")
def wb_satisfactory_departure_day_alone(w: World) -> None:
    came(w, "WB", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-30"))
    left_on(w, "2026-07-30", "GUM")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 217.3(a) is of the waiver, and not of visitors")
def b2_satisfactory_departure_gives_nothing(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-30"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="INA 240B(a)(2): 120 days; the hundred and twenty-first")
def voluntary_departure_a_day_late(w: World) -> None:
    came(w, "B2", "2026-01-20", "2025-07-21")
    w.fact("voluntary_departure", d("2026-04-01"), until=d("2026-07-30"))
    left(w, at("2026-07-31"))


@right("ADJUSTED", on=at("2026-11-20"), why="INA 209, 208: a refugee in the country, no nonimmigrant")
def asylum_granted_behind_the_date(w: World) -> None:
    came(w, "B2", "2026-01-20", "2025-07-21")
    w.fact("asylum_pending", d("2026-03-02"))
    w.fact("asylum_granted", d("2026-06-01"))


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 245.2(a)(5): denied; nothing of it is left behind that day"
)
def adjustment_denied_behind_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    adjusting(w, "2026-10-01", "denied")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="left while the adjustment was pending: authorised on that day")
def left_while_adjusting(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    left(w, at("2026-09-10"))


@right(
    "DEPARTED_IN_TIME", "IN_STATUS", on=at("2026-11-20"), why="8 CFR 245.2(a)(4)(ii)(C): abandoned, but admitted anew"
)
def adjusting_and_back_as_a_visitor(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    left(w, at("2026-07-08"))
    came(w, "B2", "2027-02-09", "2026-08-10")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-20"),
    why="8 CFR 245.2(a)(4)(ii): abandoned; the new date over",
)
def adjusting_and_back_as_a_visitor_and_over(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    left(w, at("2026-07-08"))
    came(w, "WT", "2026-11-07", "2026-08-10")


@right("OVERSTAY_SUSPECTED", on=at("2025-06-01"), why="90 FR 13611 in force on 30 May 2025; 8 CFR 212.5(e)")
def parole_of_the_program_as_a_fact(w: World) -> None:
    w.citizenship = "CUB"
    came(w, "B2", "2024-12-09", "2024-06-10")
    w.fact("parole", d("2024-12-01"), until=d("2026-11-30"), reason="CHNV")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 212.5(e)(1)(ii): automatically at its end")
def ukrainian_parole_over(w: World) -> None:
    w.citizenship = "UKR"
    paroled(w, "UHP", "2026-10-09", "2024-10-10")


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="INA 248(a): of an alien admitted; Sanchez v. Mayorkas, 593 U.S. 409"
)
def parolee_in_tps_asks_for_a_change(w: World) -> None:
    w.citizenship = "UKR"
    paroled(w, "UHP", "2026-03-09", "2024-03-10")
    w.fact("tps", d("2024-06-03"), until=d("2026-10-19"))
    files(w, "2026-09-01", "change_class", "F1", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 212.5(e)(2)(i): noticed, whatever had extended it")
def parole_in_place_ended_twice(w: World) -> None:
    came(w, "B2", "2025-07-09", "2025-01-10")
    w.fact("parole", d("2025-07-01"), until=d("2027-06-30"))
    notified(w, "2026-09-01")
    notified(w, "2026-10-01")


@right("IN_STATUS", on=at("2026-11-20"), why="INA 214(p)(6): extended during the pendency of an adjustment")
def u1_adjustment_pending_behind_the_date(w: World) -> None:
    came(w, "U1", "2026-07-09", "2022-07-10")
    adjusting(w, "2026-07-09")


@right("IN_STATUS", on=at("2026-11-20"), why="INA 214(p)(6): extended, though an extension is pending as well")
def u1_adjustment_and_extension_pending(w: World) -> None:
    came(w, "U1", "2026-07-09", "2022-07-10")
    files(w, "2026-06-25")
    adjusting(w, "2026-07-01")


@right("PENDING", on=at("2026-11-20"), why="INA 214(o)(7)(C): behind its denial the extension asked for is pending yet")
def t1_adjustment_denied_and_extension_pending(w: World) -> None:
    came(w, "T1", "2026-07-09", "2022-07-10")
    files(w, "2026-06-25")
    adjusting(w, "2026-07-01")
    adjusting(w, "2026-10-01", "denied")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="INA 214(o)(7)(C): and not behind its denial")
def t1_adjustment_denied_behind_the_date(w: World) -> None:
    came(w, "T1", "2026-07-09", "2022-07-10")
    adjusting(w, "2026-07-01")
    adjusting(w, "2026-10-01", "denied")


@right(
    "PENDING", on=at("2026-11-20"), why="8 CFR 245.24(b)(2)(ii): who holds the status no longer has none that goes on"
)
def u1_adjustment_filed_late(w: World) -> None:
    came(w, "U1", "2026-07-09", "2022-07-10")
    adjusting(w, "2026-07-30")


# --- crew and transit ------------------------------------------------------------------------------------------------


@right("IN_STATUS", on=at("2026-10-01"), why="INA 252(a)(3): 180 days for crew that transfers liquid cargo, as written")
def d1_of_a_lightering_vessel(w: World) -> None:
    came(w, "D1", "2026-11-15", "2026-06-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-16", 12), why="INA 252(a)(3): and not behind them")
def d1_of_a_lightering_vessel_over(w: World) -> None:
    came(w, "D1", "2026-11-15", "2026-06-01")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.2(c)(2): C-2 to the date on the I-94")
def c2_left_on_the_last_day(w: World) -> None:
    came(w, "C2", "2026-10-09")
    left(w, at("2026-10-09", 23, 30, "LAX"), "LAX")


# --- short trips -----------------------------------------------------------------------------------------------------


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-20"),
    why="8 CFR 217.3(b): back for the balance of the ninety days",
)
def wt_back_from_canada_for_the_balance(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    w.depart(d("2026-05-04"), "foreign_entry", port="CHM", mode="land", whole_day=False)
    w.arrive(d("2026-05-10"), "WT", None, port="CHM", mode="land", same_i94=True, at=at("2026-05-10"))


@right(
    "DEPARTED_IN_TIME", "IN_STATUS", on=at("2026-11-20"), why="22 CFR 41.112(d); the program runs for who comes back"
)
def f1_back_from_mexico_for_duration_of_status(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2028-05-31")
    w.depart(d("2026-05-04"), "foreign_entry", port="SYS", mode="land", whole_day=False)
    w.arrive(d("2026-05-20"), "F1", None, port="SYS", mode="land", same_i94=True, at=at("2026-05-20", port="LAX"))


# --- petitions granted, then withdrawn or revoked --------------------------------------------------------------------


def ported(w: World, granted: str = "2026-02-20") -> None:
    """An H-1B goes to another employer."""
    came(w, "H1B", "2027-07-01", "2025-01-10")
    files(w, "2026-02-02", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, granted, "approved", until="2028-12-31", form="I-129", receipt="WAC0000000002", system="ELIS")


def extended(w: World) -> None:
    """The employer's petition is granted anew, and withdrawn."""
    came(w, "H1B", "2026-01-31", "2025-01-12")
    files(w, "2026-01-02", form="I-129", system="ELIS")
    decides(w, "2026-02-20", "approved", until="2028-12-31", form="I-129", system="ELIS")
    decides(w, "2026-06-10", "withdrawn", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2026-09-01"), why="the employment that ended was the one before: 8 CFR 214.1(l)(2)")
def ported_and_the_old_employment_ended(w: World) -> None:
    ported(w)
    w.fact("employment_ended", d("2026-03-15"), receipt="WAC0000000001")


@right("TERMINATED", on=at("2026-09-01"), why="the employment that ended was the new one")
def ported_and_the_new_employment_ended(w: World) -> None:
    ported(w)
    w.fact("employment_ended", d("2026-03-15"), receipt="WAC0000000002")


@right("IN_STATUS", on=at("2026-03-01"), why="8 CFR 214.2(h)(11)(ii): revoked by the withdrawal, and not before")
def petition_before_it_was_withdrawn(w: World) -> None:
    extended(w)


@right("IN_GRACE", on=at("2026-08-09", 23, 30), why="8 CFR 214.2(h)(11)(ii), 214.1(l)(2): sixty days")
def petition_withdrawn_sixtieth_day(w: World) -> None:
    extended(w)


@right("TERMINATED", on=at("2026-08-10"), why="INA 222(g): out of status, and the date granted is not over")
def petition_withdrawn_sixty_first_day(w: World) -> None:
    extended(w)


@right("TERMINATED", on=at("2026-09-01"), why="8 CFR 235.1(h): an I-94 that was mended is no petition of its own")
def petition_withdrawn_and_the_i94_mended_before(w: World) -> None:
    came(w, "H1B", "2026-01-31", "2025-01-12")
    files(w, "2026-01-02", form="I-129", system="ELIS")
    decides(w, "2026-02-20", "approved", until="2028-12-31", form="I-129", system="ELIS")
    w.correct(d("2026-04-10"), d("2028-12-30"))
    decides(w, "2026-06-10", "withdrawn", form="I-129", system="ELIS")


@right("TERMINATED", on=at("2026-09-01"), why="8 CFR 214.1(l)(2); an I-94 that was mended is no petition of its own")
def employment_of_the_first_petition_ended_and_the_i94_mended_before(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    w.correct(d("2025-02-10"), d("2027-07-10"))
    w.fact("employment_ended", d("2026-03-15"), receipt="WAC0000000001")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="INA 222(g): left before the date that had been granted")
def petition_withdrawn_and_left(w: World) -> None:
    extended(w)
    left(w, at("2026-09-20"))


@right(
    "IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(h)(11)(ii): the petition of the employer before ended nothing"
)
def petition_of_the_employer_before_withdrawn(w: World) -> None:
    extended(w)
    files(w, "2026-03-02", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, "2026-04-20", "approved", until="2029-02-28", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(h)(11)(ii): a petition that never began gave no date")
def petition_withdrawn_before_it_began(w: World) -> None:
    came(w, "L1", "2026-07-09", "2025-07-10")
    files(w, "2026-05-04", form="I-129", system="ELIS")
    decides(w, "2026-06-01", "approved", until="2028-07-09", valid="2026-07-10", form="I-129", system="ELIS")
    decides(w, "2026-06-15", "withdrawn", form="I-129", system="ELIS")
    left(w, at("2026-07-20"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 103.5(a)(5): reopened and denied, nothing was granted")
def extension_reopened_and_denied(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    decides(w, "2026-08-03", "approved", until="2027-01-09", system="ELIS")
    decides(w, "2026-09-01", "denied", system="ELIS")


@right("IN_GRACE", on=at("2025-10-01"), why="8 CFR 214.2(f)(5)(vi): withdrawn before October, sixty days as a student")
def cap_gap_petition_granted_then_withdrawn(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-07-10", "approved", "change_class", "H1B", "2028-09-30", "2025-10-01", form="I-129", system="ELIS")
    decides(w, "2025-09-10", "withdrawn", "change_class", form="I-129", system="ELIS")


@right("PENDING", on=at("2026-04-15"), why="USCIS, 28 September 2018: may stay while the change is pending")
def cap_gap_reported_by_sevis_over_and_pending(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    w.sevis("cap-gap", "sevis_active", d("2025-06-01"), "F1", "cap-gap", d("2026-04-01"))
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="and so leaves in time while it is")
def cap_gap_over_and_left_while_pending(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    left(w, at("2026-08-10"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 214.2(f)(5)(vi): the next petition came out of status")
def cap_gap_denied_and_another_petition_filed_late(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-08-01", "denied", "change_class", form="I-129", system="ELIS")
    files(w, "2026-07-01", "change_class", "H1B", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("PENDING", on=at("2026-05-20"), why="USCIS, 28 September 2018: another employer's petition is pending still")
def cap_gap_over_and_one_of_two_petitions_withdrawn(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    for receipt in ("IOE0000000001", "IOE0000000002"):
        files(w, "2025-04-05", "change_class", "H1B", form="I-129", receipt=receipt, system="ELIS")
    decides(w, "2026-05-15", "withdrawn", "change_class", form="I-129", receipt="IOE0000000002", system="ELIS")


# --- a date beyond what the law counts by itself ---------------------------------------------------------------------

WRITTEN = "INA 212(a)(9)(B)(ii), 222(g): the period that the officer authorised; 8 CFR 1.4: it is on the I-94"


@right("IN_STATUS", on=at("2026-07-12"), why=WRITTEN)
def wt_to_the_hundredth_day(w: World) -> None:
    came(w, "WT", "2026-07-19", "2026-04-11")


@right(
    "IN_STATUS", on=at("2026-08-01"), why=WRITTEN + "; a child who follows to join is admitted later than the parent"
)
def k2_to_a_date(w: World) -> None:
    came(w, "K2", "2026-10-09", "2026-04-11")


@right("DEPARTED_LATE", on=at("2026-11-20"), why=WRITTEN)
def k1_left_behind_the_date_written(w: World) -> None:
    came(w, "K1", "2026-07-19", "2026-04-11")
    left(w, at("2026-07-20"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="INA 244(c)(3): withdrawn, in class TPS as well")
def class_tps_withdrawn(w: World) -> None:
    w.citizenship = "LBN"
    came(w, "TPS", "2026-11-27", "2025-09-10")
    w.fact("tps_withdrawn", d("2026-07-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="INA 244(c)(3): withdrawn, whatever date was mended before")
def class_tps_mended_and_withdrawn(w: World) -> None:
    w.citizenship = "LBN"
    came(w, "TPS", "2026-11-27", "2025-09-10")
    w.correct(d("2025-10-10"), d("2026-12-27"))
    w.fact("tps_withdrawn", d("2026-07-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-08-20"), why="91 FR 10402, in force on 20 July 2026, whatever date was mended")
def class_tps_of_yemen_mended_before_the_order(w: World) -> None:
    w.citizenship = "YEM"
    came(w, "TPS", "2027-03-03", "2025-09-10")
    w.correct(d("2025-10-10"), d("2027-03-10"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="91 FR 10402, in force on 20 July 2026: class TPS on the I-94")
def class_tps_of_yemen_left_behind_the_order(w: World) -> None:
    w.citizenship = "YEM"
    came(w, "TPS", "2027-03-03", "2025-09-10")
    left(w, at("2026-07-22"))


ALL: list[Sibling] = SIBLINGS[_EARLIER:]
"""These alone; those before them stand in the modules named above."""
del SIBLINGS[_EARLIER:]
