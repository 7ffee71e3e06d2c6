"""Further small histories, each from the words of the Code of Federal Regulations (September 2026) or of the Act."""

from __future__ import annotations

from datetime import timedelta

from oracle.cousins import mended, program
from oracle.histories import World
from oracle.siblings import ALL as SIBLINGS
from oracle.siblings import Sibling, at, came, d, decides, files, left, left_on, right

_EARLIER = len(SIBLINGS)
DAY = timedelta(days=1)


def notified(w: World, day: str) -> None:
    """A parolee is told in writing that parole is over: 8 CFR 212.5(e)(2)(i)."""
    w.fact("parole_ended", d(day))


def paroled(w: World, cls: str, until: str | None, day: str = "2026-01-12", port: str = "JFK") -> None:
    """Paroled at noon."""
    came(w, cls, until, day, port, inspection="paroled")


def left_samoa(w: World, day: str, clock: str) -> None:
    """Left from Pago Pago, behind Hawaii's clock by an hour and Guam's by twenty-one: no part of INA 101(a)(38)."""
    event = w.depart(d(day), "inspected", port="HNL", whole_day=False)
    event["occurred_at"].update(zone="Pacific/Pago_Pago", at=clock)
    event["port"] = "PPG"
    w.reseal(event)


# --- codes of classes ------------------------------------------------------------------------------------------------


@right("IN_STATUS", on=at("2026-11-01"), why="8 CFR 214.2(e)(4): the spouse of an E-2, E2S on the I-94 since 2022")
def e2s_inside_the_date(w: World) -> None:
    came(w, "E2S", "2027-07-09")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="8 CFR 214.2(e)(4): the child of an E-1, E1Y, to the date")
def e1y_date_over(w: World) -> None:
    came(w, "E1Y", "2026-07-09")


@right("IN_GRACE", on=at("2026-07-19"), why="8 CFR 214.1(l)(1): ten days, and for the dependents")
def e3y_tenth_endorsed_day(w: World) -> None:
    came(w, "E3Y", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.2(e)(4): no employment of her own on which E2S would rest")
def e2s_employment_ended(w: World) -> None:
    came(w, "E2S", "2026-07-09")
    w.fact("employment_ended", d("2026-03-02"))


@right("IN_GRACE", on=at("2026-05-01", 23, 30), why="22 CFR 41.12: E3R is a returning E-3; 8 CFR 214.1(l)(2): day 60")
def e3r_sixtieth_day(w: World) -> None:
    came(w, "E3R", "2027-01-10")
    w.fact("employment_ended", d("2026-03-02"))


@right("TERMINATED", on=at("2026-05-02"), why="8 CFR 214.1(l)(2): sixty consecutive days, not sixty-one")
def e3r_sixty_first_day(w: World) -> None:
    came(w, "E3R", "2027-01-10")
    w.fact("employment_ended", d("2026-03-02"))


@right("TERMINATED", on=at("2026-03-03"), why="8 CFR 214.1(l)(2) does not name P: nor the support of a P-3")
def p3s_employment_ended(w: World) -> None:
    came(w, "P3S", "2026-07-09")
    w.fact("employment_ended", d("2026-03-02"))


@right("IN_GRACE", on=at("2026-04-20"), why="8 CFR 214.1(l)(2) names H-1B1, of which HSC is a code")
def hsc_employment_ended(w: World) -> None:
    came(w, "HSC", "2026-07-09")
    w.fact("employment_ended", d("2026-03-02"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="INA 101(a)(15)(N); 8 CFR 214.2(n): N-8 to a date")
def n8_date_over(w: World) -> None:
    came(w, "N8", "2026-07-09")


@right("IN_STATUS", on=at("2026-07-09", 23, 59, "GUM"), why="8 CFR 212.1(q), GB being its code before 2009's program")
def gb_last_minute(w: World) -> None:
    came(w, "GB", "2026-07-09", "2026-05-26", "GUM")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="8 CFR 214.1(c)(3)(viii): no extension under the Guam waiver")
def gt_extension_gives_nothing(w: World) -> None:
    came(w, "GT", "2026-07-09", "2026-05-26", "GUM")
    files(w, "2026-07-01", system="ELIS")


@right("IN_GRACE", on=at("2026-07-24", 23, 30, "GUM"), why="8 CFR 212.1(q)(7): not to exceed 15 days; the fifteenth")
def gmt_fifteenth_day_of_satisfactory_departure(w: World) -> None:
    came(w, "GMT", "2026-07-09", "2026-05-26", "GUM")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-24"))


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="8 CFR 212.1(q)(7): without overstaying the allotted time")
def gt_left_on_the_fifteenth_day(w: World) -> None:
    came(w, "GT", "2026-07-09", "2026-05-26", "GUM")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-24"))
    left(w, at("2026-07-24", 23, 30, "GUM"), "GUM")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="8 CFR 212.1(q)(7): fifteen days at most, whatever was written")
def gmb_left_on_the_sixteenth_day_of_thirty_granted(w: World) -> None:
    came(w, "GMB", "2026-07-09", "2026-05-26", "GUM")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-08-08"))
    left(w, at("2026-07-25", 9, 0, "GUM"), "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-08-20"), why="8 CFR 217.3(a): thirty days under the Visa Waiver Program")
def wt_left_on_the_thirtieth_day(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-08-08"))
    left(w, at("2026-08-08", 23, 30))


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 214(k)(2): such period may not be extended")
def s6_extension_gives_nothing(w: World) -> None:
    came(w, "S6", "2026-07-09", "2023-07-10")
    files(w, "2026-07-01", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 248(a)(1): no change of class from K")
def k4_change_gives_nothing(w: World) -> None:
    came(w, "K4", "2026-07-09", "2024-07-10")
    files(w, "2026-07-01", "change_class", "F1")


@right("DEPARTED_IN_TIME", "PENDING", on=at("2026-10-10"), why="8 CFR 245.2(a)(4)(ii)(C): L-2 back in L-2")
def l2y_comes_back_with_an_adjustment_pending(w: World) -> None:
    came(w, "L2Y", "2027-01-10")
    w.step("IOE0000000009", "filed", d("2026-03-02"), asks="adjust", form="I-485", system="ELIS")
    left_on(w, "2026-05-04")
    came(w, "L2Y", "2026-10-09", "2026-06-01")


# --- H-2A and H-2B about 17 January 2025 -----------------------------------------------------------------------------

TERMS = "8 CFR 214.2(h)(5)(viii)(B), (h)(6)(vii)(A): days are a term of the admission, by the law of its day"


@right("IN_GRACE", on=at("2025-07-19", 23, 30), why=TERMS)
def h2b_of_the_eve_tenth_day(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-16")


@right("OVERSTAY_SUSPECTED", on=at("2025-07-20"), why=TERMS)
def h2b_of_the_eve_eleventh_day(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-16")


@right("IN_GRACE", on=at("2025-08-08", 23, 30), why=TERMS)
def h2b_of_the_day_thirtieth_day(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-17")


@right("DEPARTED_IN_TIME", on=at("2025-09-01"), why="8 CFR 214.2(h)(5)(viii)(B) as of 73 FR 76891: H-2A had thirty")
def h2a_of_the_eve_left_on_the_thirtieth_day(w: World) -> None:
    came(w, "H2A", "2025-07-09", "2025-01-16")
    left(w, at("2025-08-08", 22, 0))


@right("OVERSTAY_SUSPECTED", on=at("2025-08-01"), why="8 CFR 214.2(h)(13)(i)(A) as it was: no words on asking in them")
def h2b_of_the_eve_asks_in_the_ten_days(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-16")
    files(w, "2025-07-14", system="ELIS", form="I-129")


@right("PENDING", on=at("2025-09-01"), why="8 CFR 214.2(h)(6)(vii)(A): or to seek an extension")
def h2b_of_the_day_asks_in_the_thirty_days(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-17")
    files(w, "2025-08-05", system="ELIS", form="I-129")


@right("TERMINATED", on=at("2025-01-18"), why="no sixty days before 89 FR 103202: the employment ended on its eve")
def h2a_employment_ended_on_the_eve(w: World) -> None:
    came(w, "H2A", "2025-07-09", "2024-12-02")
    w.fact("employment_ended", d("2025-01-16"))


@right("IN_GRACE", on=at("2025-03-18", 22, 0), why="8 CFR 214.2(h)(13)(i)(C): sixty days, by the law of that day")
def h2a_employment_ended_on_the_day(w: World) -> None:
    came(w, "H2A", "2025-07-09", "2024-12-02")
    w.fact("employment_ended", d("2025-01-17"))


@right("OVERSTAY_SUSPECTED", on=at("2025-08-20"), why="8 CFR 214.1(c)(4)(i): who failed to maintain status may not")
def h2b_out_of_status_asks_behind_the_date(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-20")
    w.fact("employment_ended", d("2025-02-03"))
    files(w, "2025-08-05", system="ELIS", form="I-129")


# --- parole ----------------------------------------------------------------------------------------------------------

NOTICE = "8 CFR 212.5(e)(2)(i): terminated upon written notice"


@right("OVERSTAY_SUSPECTED", on=at("2026-05-05"), why=NOTICE)
def parole_ended_by_notice(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    notified(w, "2026-05-04")


@right("DEPARTED_IN_TIME", on=at("2026-07-01"), why=NOTICE + ", and the parolee had gone before")
def parolee_left_before_the_notice(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    left(w, at("2026-05-03"))
    notified(w, "2026-05-04")


@right("DEPARTED_LATE", on=at("2026-07-01"), why=NOTICE)
def parolee_left_behind_the_notice(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    notified(w, "2026-05-04")
    left(w, at("2026-05-06"))


@right("UNDETERMINED", on=at("2026-05-03"), why="8 CFR 212.5(e)(1)(ii): the time of it is missing")
def parole_without_a_date(w: World) -> None:
    paroled(w, "PAR", None)
    notified(w, "2026-05-04")


@right("OVERSTAY_SUSPECTED", on=at("2026-05-05"), why=NOTICE + ", whatever the time was")
def parole_without_a_date_ended_by_notice(w: World) -> None:
    paroled(w, "PAR", None)
    notified(w, "2026-05-04")


@right("IN_STATUS", on=at("2026-10-01"), why="8 CFR 212.5: paroled anew, to a date that the fact says")
def parole_without_a_date_given_anew(w: World) -> None:
    paroled(w, "PAR", None)
    w.fact("parole", d("2026-07-01"), until=d("2026-12-31"))


@right("OVERSTAY_SUSPECTED", on=at("2026-10-06"), why=NOTICE + "; the extension by inspection as well")
def extended_parole_ended_by_notice(w: World) -> None:
    paroled(w, "PAR", "2026-07-09")
    mended(w, "2027-01-10", None, "2026-07-06")
    notified(w, "2026-10-05")


@right("DEPARTED_LATE", on=at("2026-11-20"), why=NOTICE + "; the extension by inspection as well")
def extended_parole_ended_then_left(w: World) -> None:
    paroled(w, "DT", "2026-07-09")
    mended(w, "2027-01-10", None, "2026-07-06")
    notified(w, "2026-10-05")
    left(w, at("2026-10-07"))


@right("IN_STATUS", on=at("2026-10-01"), why="8 CFR 212.5(c): another parole is another time")
def paroled_again_behind_a_notice(w: World) -> None:
    paroled(w, "PAR", "2026-07-09")
    notified(w, "2026-05-04")
    w.fact("parole", d("2026-06-01"), until=d("2026-12-31"))


@right("PENDING", on=at("2026-06-01"), why="INA 212(a)(9)(B)(iii)(II): asylum pending, parole over")
def parole_ended_with_asylum_pending(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    w.fact("asylum_pending", d("2026-04-01"))
    notified(w, "2026-05-04")


@right("PENDING", on=at("2026-06-01"), why="INA 245(a): who was paroled may ask for adjustment")
def parole_ended_with_an_adjustment_pending(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    w.step("IOE0000000009", "filed", d("2026-03-02"), asks="adjust", form="I-485", system="ELIS")
    notified(w, "2026-05-04")


@right("OVERSTAY_SUSPECTED", on=at("2026-09-02"), why=NOTICE + ": in place, behind the date of a visitor")
def parole_in_place_ended_by_notice(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("parole", d("2026-07-01"), until=d("2027-06-30"))
    notified(w, "2026-09-01")


@right("IN_STATUS", on=at("2025-04-23"), why="90 FR 13611: up to 24 April 2025")
def venezuelan_parole_before_the_notice(w: World) -> None:
    paroled(w, "VHP", "2026-08-10", "2024-08-12")


@right("OVERSTAY_SUSPECTED", on=at("2025-06-02"), why="90 FR 13611; Noem v. Doe, No. 24A1079 (30 May 2025)")
def haitian_parole_behind_the_judgment(w: World) -> None:
    paroled(w, "HHP", "2026-08-10", "2024-08-12")


@right("OVERSTAY_SUSPECTED", on=at("2025-06-02"), why="90 FR 13611: over for all of the program, the date being lost")
def nicaraguan_parole_without_a_date(w: World) -> None:
    paroled(w, "NHP", None, "2024-08-12")


@right("OVERSTAY_SUSPECTED", on=at("2025-03-02"), why="8 CFR 212.5(e)(1)(ii): its own day came before the notice's")
def cuban_parole_over_before_the_notice(w: World) -> None:
    paroled(w, "CHP", "2025-03-01", "2023-03-02")


@right("IN_STATUS", on=at("2026-01-10"), why="90 FR 13611 names those whose parole had not expired on 24 April 2025")
def cuban_paroled_anew_behind_the_notice(w: World) -> None:
    paroled(w, "CHP", "2026-05-09", "2025-05-12")


# --- two grants: the last action -------------------------------------------------------------------------------------

LAST = "the last action governs (USCIS letter of August 2004; 8 CFR 214.1(c), 248.1)"


@right("DEPARTED_LATE", on=at("2026-10-20"), why=LAST)
def asked_first_and_granted_last_to_an_earlier_day(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    files(w, "2026-07-06", "change_class", "B1", receipt="IOE0000000002", system="ELIS")
    decides(w, "2026-07-20", "approved", "change_class", "B1", "2026-12-31", receipt="IOE0000000002", system="ELIS")
    decides(w, "2026-07-27", "approved", until="2026-10-09", system="ELIS")
    left(w, at("2026-10-12"))


@right("DEPARTED_IN_TIME", on=at("2026-10-20"), why=LAST)
def granted_in_the_order_of_asking(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    files(w, "2026-07-06", "change_class", "B1", receipt="IOE0000000002", system="ELIS")
    decides(w, "2026-07-20", "approved", until="2026-10-09", system="ELIS")
    decides(w, "2026-07-27", "approved", "change_class", "B1", "2026-12-31", receipt="IOE0000000002", system="ELIS")
    left(w, at("2026-10-12"))


@right("IN_STATUS", on=at("2026-11-01"), why=LAST + "; 8 CFR 214.2(f)(5): the program, and no date any more")
def date_granted_then_a_student(w: World) -> None:
    came(w, "B2", "2026-07-09")
    program(w, "F1", "2028-05-31", "2026-06-01")
    files(w, "2026-06-15", "change_class", "F1", receipt="IOE0000000002", system="ELIS")
    files(w, "2026-07-01", system="ELIS")
    decides(w, "2026-08-03", "approved", until="2026-10-09", system="ELIS")
    decides(w, "2026-09-01", "approved", "change_class", "F1", "D/S", receipt="IOE0000000002", system="ELIS")


# --- students --------------------------------------------------------------------------------------------------------


@right("PENDING", on=at("2026-09-01"), why="8 CFR 214.2(f)(5)(vi)(A): of an F-1 student, of no dependent")
def f2_with_a_petition_of_her_own(w: World) -> None:
    came(w, "F2", "D/S")
    program(w, "F2", "2026-05-20")
    files(w, "2026-05-11", "change_class", "H1B", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(f)(5)(vi)(D): the dependents of a student in the cap-gap")
def f2_of_a_student_in_the_cap_gap(w: World) -> None:
    came(w, "F2", "D/S")
    program(w, "F2", "2026-05-20")
    w.sevis("cap-gap", "sevis_active", d("2026-05-20"), "F2", "cap-gap", d("2027-04-01"))


@right("IN_GRACE", on=at("2026-07-19", 22, 0), why="8 CFR 214.2(f)(5)(iv): sixty days behind the course of study")
def f1_sixtieth_day(w: World) -> None:
    came(w, "F1", "D/S")
    program(w, "F1", "2026-05-20")


@right("OVERSTAY_SUSPECTED", on=at("2026-06-05"), why="8 CFR 214.2(f)(5)(iv): fifteen days for a withdrawal")
def f1_sixteenth_day_behind_a_withdrawal(w: World) -> None:
    came(w, "F1", "D/S")
    program(w, "F1", "2027-05-20")
    w.sevis("program", "sevis_terminated", d("2026-05-20"), "F1", "authorized-withdrawal")


@right("IN_STATUS", on=at("2026-10-01"), why="8 CFR 214.2(f)(7), the rule 91 FR 44976 being postponed: for D/S still")
def f1_admitted_behind_the_day_of_the_postponed_rule(w: World) -> None:
    came(w, "F1", "D/S", "2026-09-21")
    program(w, "F1", "2030-05-31", "2026-08-03")


# --- temporary protected status --------------------------------------------------------------------------------------


def protected(w: World, state: str, until: str) -> None:
    """A visitor whose date is over, with papers of temporary protected status."""
    w.citizenship = state
    came(w, "B2", "2024-07-09", "2024-01-10")
    w.fact("tps", d("2024-06-03"), until=d(until))


@right("PENDING", on=at("2026-12-01") - 6 * DAY, why="INA 244(f)(4): for a change of status, maintaining lawful status")
def change_filed_in_protected_status_that_ended(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    files(w, "2026-09-01", "change_class", "F1", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-12-01") - 6 * DAY, why="INA 244(f)(4) speaks of 245 and 248, of no extension")
def extension_filed_in_protected_status_that_ended(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    files(w, "2026-09-01", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-12-01") - 6 * DAY, why="INA 244(f)(4): during a period in which it is granted")
def change_filed_behind_protected_status(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    files(w, "2026-10-20", "change_class", "F1", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="INA 244(a)(1): to the day of the papers, where she left")
def ukrainian_left_honolulu_on_the_last_day(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    left(w, at("2026-10-19", 23, 30, "HNL"), "HNL")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-21"), why="91 FR 10402; Doe v. Noem, 26-cv-02103 (S.D.N.Y.), 20 July 2026")
def tps_of_yemen_behind_the_order(w: World) -> None:
    protected(w, "YEM", "2027-03-03")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-19"), why="90 FR 58028; 26-cv-10278, 18 August 2026")
def tps_of_ethiopia_behind_the_order(w: World) -> None:
    protected(w, "ETH", "2027-06-12")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-15"), why="91 FR 1547; 26-cv-11201, 14 August 2026")
def tps_of_somalia_behind_the_order(w: World) -> None:
    protected(w, "SOM", "2027-03-17")


@right("OVERSTAY_SUSPECTED", on=at("2025-08-21"), why="90 FR 24151; National TPS Alliance v. Noem, 20 August 2025")
def tps_of_nepal_behind_the_order(w: World) -> None:
    protected(w, "NPL", "2026-06-24")


@right("DEPARTED_LATE", on=at("2026-09-01"), why="90 FR 53378; 25-cv-15483, 7 August 2026")
def burmese_left_behind_the_order(w: World) -> None:
    protected(w, "MMR", "2027-05-25")
    left(w, at("2026-08-09"))


# --- days where they happen ------------------------------------------------------------------------------------------


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="the day of departure is that of Pago Pago, still the ninth")
def left_samoa_on_the_last_day_of_guam(w: World) -> None:
    came(w, "B2", "2026-07-09", port="GUM")
    left_samoa(w, "2026-07-09", "2026-07-10T10:30:00Z")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="the day of departure is the tenth there")
def left_samoa_on_the_next_day(w: World) -> None:
    came(w, "B2", "2026-07-09", port="HNL")
    left_samoa(w, "2026-07-10", "2026-07-10T11:30:00Z")


@right("NOT_ADMITTED", "IN_STATUS", on=at("2026-03-01"), why="INA 235(a)(4): withdrawn at eight, admitted at noon")
def withdrawn_and_admitted_on_one_day(w: World) -> None:
    w.arrive(d("2026-01-12"), "B2", None, port="JFK", inspection="withdrawn", at=at("2026-01-12", 8))
    came(w, "B2", "2026-07-09")


@right("CLOSED_UNOBSERVED", "NOT_ADMITTED", on=at("2026-09-01"), why="INA 235(a)(1): who asks is outside")
def refused_while_a_filing_waits(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    w.arrive(d("2026-08-03"), "B2", None, port="JFK", inspection="refused", at=at("2026-08-03"))


@right("PENDING", on=at("2026-11-20"), why="8 CFR 1.2: Columbus Day behind a Saturday; paper on Tuesday is in time")
def paper_on_tuesday_behind_columbus_day(w: World) -> None:
    came(w, "B2", "2026-10-10")
    files(w, "2026-10-13")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 1.2: Wednesday is the second business day")
def paper_on_the_second_day_behind_columbus_day(w: World) -> None:
    came(w, "B2", "2026-10-10")
    files(w, "2026-10-14")


@right("DEPARTED_LATE", on=at("2026-09-01"), why="INA 240B(b)(2): not for more than sixty days")
def voluntary_departure_after_proceedings_left_on_the_sixty_first_day(w: World) -> None:
    came(w, "B2", "2026-01-20")
    w.fact("voluntary_departure", d("2026-04-01"), until=d("2026-07-01"), reason="after-proceedings")
    left(w, at("2026-06-01"))


@right("UNDETERMINED", on=at("2026-06-01"), why="8 CFR 103.2(b)(16)(i): a date before the admission is none")
def date_before_the_admission(w: World) -> None:
    came(w, "B2", "2025-12-31")


ALL: list[Sibling] = SIBLINGS[_EARLIER:]
"""These alone; those before them stand in `oracle.siblings` and `oracle.cousins`."""
del SIBLINGS[_EARLIER:]
