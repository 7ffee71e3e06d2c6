"""Corrections by the inspecting agency, waivers."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import again, at, came, d, files, left, mended, paroled, program
from oracle.law_cases.case import right


def back_on_parole(w: World, cls: str = "DA", inspection: str = "paroled") -> None:
    """Left, and came back with leave to travel."""
    left(w, at("2026-03-20"))
    came(w, cls, "2026-09-09", "2026-04-10", inspection=inspection)


MENDED = "the inspecting agency mends its own record (I-94, X)"


WRITTEN = "INA 212(a)(9)(B)(ii), 222(g): the period that the officer authorised; 8 CFR 1.4: it is on the I-94"


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


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.3(l): the papers came, and the I-94 is mended to D/S")
def f1_papers_came(w: World) -> None:
    came(w, "F1", "2026-02-08", "2026-01-10")
    program(w, "F1", "2028-05-15", "2025-11-01")
    mended(w, "D/S", "F1", "2026-02-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-06-01"), why="the last correction rules")
def mended_twice(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.correct(d("2026-01-13"), d("2026-10-01"))
    w.correct(d("2026-01-15"), d("2026-05-01"))


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="8 CFR 212.5(e)(1): the parole's last day, where he left")
def parolee_left_on_the_last_day(w: World) -> None:
    came(w, "PAR", "2026-07-09", inspection="paroled", port="GUM")
    left(w, at("2026-07-09", 23, 40, "LAX"), "LAX")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="re-parole ends with its date like the first")
def reparole_over(w: World) -> None:
    came(w, "PAR", "2026-03-09", inspection="paroled")
    mended(w, "2026-07-09", None, "2026-03-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="INA 212(a)(9)(B)(iii)(II): not who worked without authorisation")
def asylum_pending_and_worked(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))
    w.fact("unauthorised_work", d("2026-07-20"))


@right("PENDING", on=at("2026-10-01"), why="8 CFR 208.14(c)(1): referred to the court it is pending still")
def asylum_referred(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))
    w.fact("asylum_referred", d("2026-08-20"))


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="denied, nothing is pending")
def asylum_denied(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))
    w.fact("asylum_denied", d("2026-08-20"))


@right("DEPARTED_LATE", on=at("2026-11-15"), why="8 CFR 240.26(e), (f): sixty days at most at the end of proceedings")
def voluntary_departure_of_ninety_days(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("voluntary_departure", d("2026-07-09"), until=d("2026-10-07"), reason="after-proceedings")
    left(w, at("2026-09-20"))


@right("DEPARTED_IN_TIME", on=at("2026-11-15"), why="8 CFR 240.25(c): a hundred and twenty days before that")
def voluntary_departure_before_proceedings(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("voluntary_departure", d("2026-07-09"), until=d("2026-10-07"))
    left(w, at("2026-10-07", 23, 30))


@right("PENDING", on=at("2026-10-01"), why="deferred enforced departure: no unlawful presence")
def deferred_enforced_departure(w: World) -> None:
    w.citizenship = "LBR"
    came(w, "B2", "2026-07-09")
    w.fact("deferred_departure", d("2026-07-01"), until=d("2026-11-01"))


@right("DEPARTED_LATE", on=at("2026-11-01"), why="8 CFR 241: a removal is a departure")
def removed_behind_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-09-01"), evidence="removal")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="8 CFR 241: removed inside the period")
def removed_inside_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="removal")


@right("ADJUSTED", on=at("2026-11-01"), why="INA 334: no longer a nonimmigrant")
def naturalised(w: World) -> None:
    came(w, "H1B", "2020-07-09", "2018-01-10")
    w.fact("permanent_resident", d("2020-01-10"))
    w.fact("naturalised", d("2026-03-10"))


@right("OVERSTAY_SUSPECTED", on=at("2025-12-15"), why="90 FR 20309: that of Afghanistan ended on 14 July 2025")
def tps_of_afghanistan_ended(w: World) -> None:
    w.citizenship = "AFG"
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d("2026-11-20"))


@right("IN_STATUS", on=at("2025-06-15"), why="INA 244(f)(4): before that it held")
def tps_of_afghanistan_held(w: World) -> None:
    w.citizenship = "AFG"
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d("2025-05-20"))
    w.fact("tps", d("2025-05-21"), until=d("2025-07-14"))


@right("OVERSTAY_SUSPECTED", on=at("2025-06-15"), why="8 CFR 244.14: withdrawn, it is over")
def tps_withdrawn(w: World) -> None:
    w.citizenship = "UKR"
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d("2026-10-19"))
    w.fact("tps_withdrawn", d("2025-05-01"))


@right(
    "DEPARTED_IN_TIME", "PENDING", on=at("2026-11-01"), why="8 CFR 208.8(a): on advance parole asylum is not abandoned"
)
def asylum_pending_and_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("asylum_pending", d("2026-02-01"))
    back_on_parole(w)


@right(
    "DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED", on=at("2026-11-01"), why="8 CFR 208.14: denied, the parole's date is over"
)
def asylum_denied_behind_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("asylum_pending", d("2026-02-01"))
    back_on_parole(w)
    w.fact("asylum_denied", d("2026-10-01"))


@right("DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED", on=at("2026-11-01"), why="8 CFR 208.8(a): without it, it is")
def asylum_abandoned_by_leaving(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("asylum_pending", d("2026-02-01"))
    back_on_parole(w, "B2", "admitted")


@right(
    "DEPARTED_IN_TIME", "IN_STATUS", on=at("2026-10-01"), why="INA 244(f)(3): back with leave to travel, TPS goes on"
)
def tps_and_a_trip_with_leave(w: World) -> None:
    w.citizenship = "UKR"
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("tps", d("2026-02-01"), until=d("2026-10-19"))
    back_on_parole(w, "TPS", "admitted")


@right("DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED", on=at("2026-10-20"), why="and ends with its day")
def tps_and_a_trip_with_leave_over(w: World) -> None:
    w.citizenship = "UKR"
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("tps", d("2026-02-01"), until=d("2026-10-19"))
    back_on_parole(w)


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
