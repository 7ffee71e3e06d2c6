"""Applications to extend or change status, and decisions about them."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, decides, files, left, program
from oracle.law_cases.case import right


def short_extension(w: World) -> None:
    """Admitted to 25 April, asked in time, and granted on 26 July to 24 June."""
    came(w, "B2", "2026-04-25")
    files(w, "2026-04-20")
    decides(w, "2026-07-26", "approved", until="2026-06-24")


def adjusting_and_a_late_petition(w: World) -> None:
    """A P-1 whose employment ended asks for adjustment, then for an extension."""
    came(w, "P1", "2026-12-01", "2026-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    files(w, "2026-04-02", "adjust", form="I-485")
    files(w, "2026-04-03", "extend", form="I-129", receipt="IOE0000000002")


def two_in_time(w: World) -> None:
    """Two extensions, both filed before the date."""
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    files(w, "2026-07-06", receipt="IOE0000000002")
    decides(w, "2026-08-15", "denied")


LAST = "the last action governs (USCIS letter of August 2004; 8 CFR 214.1(c), 248.1)"


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


@right("PENDING", on=at("2026-10-01"), why="8 CFR 214.1(c)(4): the second was in time by itself")
def second_in_time_by_itself(w: World) -> None:
    two_in_time(w)


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="the bridge is withdrawn, so the second was filed late")
def bridge_withdrawn(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    files(w, "2026-07-20", receipt="IOE0000000002")
    decides(w, "2026-08-15", "withdrawn")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="the bridge reaches 1 September, the second was filed behind it")
def bridge_too_short(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    files(w, "2026-09-15", receipt="IOE0000000002")
    decides(w, "2026-09-20", "approved", until="2026-09-01")


@right("IN_STATUS", on=at("2026-11-20"), why="each was in time behind the one before it")
def two_bridges_granted(w: World) -> None:
    came(w, "B2", "2026-05-09")
    files(w, "2026-05-01")
    files(w, "2026-07-20", receipt="IOE0000000002")
    decides(w, "2026-08-15", "approved", until="2026-09-01")
    decides(w, "2026-10-01", "approved", until="2027-01-15", receipt="IOE0000000002")


@right("DEPARTED_LATE", on=at("2026-11-01"), why="INA 212(a)(9)(B): authorised up to the withdrawal and no longer")
def withdrawn_left_the_day_behind(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-09-01", "withdrawn")
    left(w, at("2026-09-02", 1))


@right("IN_STATUS", on=at("2026-11-01"), why="8 CFR 103.5: reopened and approved, the denial is undone")
def denied_then_approved(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-08-01", "denied")
    decides(w, "2026-08-15", "appealed")
    decides(w, "2026-10-01", "approved", until="2027-01-09")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="INA 245: authorised while it is pending")
def k1_adjustment_left_while_pending(w: World) -> None:
    came(w, "K1", "2026-04-09", "2026-01-10")
    files(w, "2026-03-30", "adjust", form="I-485")
    left(w, at("2026-08-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-09-02"), why="8 CFR 214.2(k)(5): denied behind the ninety days")
def k1_adjustment_denied(w: World) -> None:
    came(w, "K1", "2026-04-09", "2026-01-10")
    files(w, "2026-03-30", "adjust", form="I-485")
    decides(w, "2026-09-01", "denied", "adjust", form="I-485")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(A): who leaves without advance parole has abandoned his adjustment",
)
def adjustment_abandoned_by_leaving(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-03-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "B2", "2026-09-09", "2026-04-10")


@right(
    "DEPARTED_IN_TIME",
    "PENDING",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(C): H-1B back as H-1B has not abandoned it",
)
def adjustment_of_an_h1b_who_travels(w: World) -> None:
    came(w, "H1B", "2026-09-09", "2025-01-10")
    files(w, "2026-03-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "H1B", "2026-09-09", "2026-04-10")


@right(
    "DEPARTED_IN_TIME",
    "PENDING",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(B), 212.5(f): back on advance parole it is pending behind the parole's date",
)
def adjustment_with_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-02-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "DA", "2026-09-09", "2026-04-10", inspection="paroled")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(B): denied, a parolee has the parole's date alone",
)
def adjustment_denied_on_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-02-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "DA", "2026-09-09", "2026-04-10", inspection="paroled")
    decides(w, "2026-10-01", "denied", "adjust", form="I-485")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(C) is for who left in H-1 or L-1: a student has abandoned it",
)
def adjustment_of_a_student_back_as_h1b(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2027-05-31")
    files(w, "2026-03-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "H1B", "2026-09-09", "2026-04-10")


@right("DEPARTED_IN_TIME", "ADJUSTED", on=at("2026-11-01"), why="INA 245(a): granted to a parolee")
def adjustment_granted_on_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-02-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "DA", "2026-09-09", "2026-04-10", inspection="paroled")
    decides(w, "2026-08-01", "approved", "adjust", form="I-485")


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
