"""Departures: contradicted, unrecorded, short."""

from __future__ import annotations

from datetime import UTC, datetime

from oracle.histories import KNOWN, World
from oracle.law_cases.build import again, at, came, d, decides, files, left, left_on, program
from oracle.law_cases.case import LONG_AGO, right


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


@right("DEPARTED_IN_TIME", on=at("2026-05-02"), why="came at noon and left that day: one stay, in time")
def came_and_left_on_one_day(w: World) -> None:
    came(w, "B2", "2026-10-31", "2026-05-01")
    left_on(w, "2026-05-01")


@right(
    "DEPARTED_IN_TIME",
    "CLOSED_UNOBSERVED",
    "IN_STATUS",
    on=at("2026-09-01"),
    why="each departure belongs to its own stay",
)
def three_stays_the_middle_unobserved(w: World) -> None:
    came(w, "B2", "2025-07-09", "2025-01-12")
    left(w, at("2025-06-01"))
    came(w, "B2", "2026-02-09", "2025-08-10")
    came(w, "B2", "2026-12-09", "2026-06-10")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="the later admission was somebody's mistake and taken back")
def later_admission_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    came(w, "B2", "2026-12-09", "2026-06-10")
    again(w, w.events[-1], operation="retract")


@right("DEPARTED_IN_TIME", on=at("2026-10-01"), why="fingerprints of another, taken back: the manifest stands")
def biometric_departure_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest_closed")
    left(w, at("2026-09-01"), evidence="biometric")
    again(w, w.events[-1], operation="retract")


@right("IN_STATUS", on=at("2026-06-01"), why="class and date were mended by a later revision of the record")
def arrival_corrected(w: World) -> None:
    came(w, "WT", "2026-04-11")
    again(w, w.events[-1], class_of_admission="B2", admitted_until="2026-07-09")


@right("DEPARTED_IN_TIME", on=at("2026-11-26"), why="1 November has 25 hours, and its last is in time")
def left_in_the_last_hour_of_a_long_day(w: World) -> None:
    came(w, "B2", "2026-11-01", "2026-05-02")
    left(w, at("2026-11-01", 23, 59))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="half past midnight of the day behind")
def left_in_the_first_hour_of_a_long_day(w: World) -> None:
    came(w, "B2", "2026-10-31", "2026-05-02")
    left(w, at("2026-11-01", 0, 30))


@right("IN_STATUS", on=at("2026-07-08", 22, port="HNL"), why="the day at the port of entry is 8 July still")
def honolulu_last_hours(w: World) -> None:
    came(w, "B2", "2026-07-08", port="HNL")


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="nobody vouches for departures by sea")
def sea_is_not_covered(w: World) -> None:
    w.cover(LONG_AGO, KNOWN, ("air", "land"))
    came(w, "WT", "2026-07-09", "2026-04-11")


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-08-01"),
    known_at=datetime(2026, 8, 15, tzinfo=UTC),
    why="what was known by then: the departure was told later",
)
def departure_not_yet_known(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-01"))
    for event in w.events:
        event["published_at"] = "2026-08-10T12:00:00Z"
    w.events[-1]["published_at"] = "2026-08-20T12:00:00Z"


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="22 CFR 41.112(d) needs a return: entered Canada, and stayed")
def entered_canada_on_the_last_day(w: World) -> None:
    came(w, "H1B", "2026-07-09")
    w.depart(d("2026-07-09"), "foreign_entry", port="CHM", mode="land", whole_day=True)


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
