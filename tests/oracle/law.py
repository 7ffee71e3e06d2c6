"""What the law says of each class of admission, as tables with the section beside each line."""

from __future__ import annotations

from datetime import date

STUDENTS = frozenset({"F1", "F2"})  # 8 CFR 214.2(f)(5): duration of status
EXCHANGE = frozenset({"J1", "J2"})  # 8 CFR 214.2(j)(1)
VOCATIONAL = frozenset({"M1", "M2"})  # 8 CFR 214.2(m)(5): to a date, up to one year

UNLIMITED = frozenset(
    {
        *("A1", "A2", "G1", "G2", "G3", "G4"),  # 8 CFR 214.2(a)(1), (g)(1): as long as accredited
        *("N1", "N2", "N3", "N4", "N5", "N6"),  # 8 CFR 214.2(s)(1): NATO-1 to NATO-6
        "I",  # 8 CFR 214.2(i)(1); on a passport of the People's Republic of China never (214.2(i)(2), 87 FR 61959)
        *(
            "FSM",
            "RMI",
            "PAL",
        ),  # Compacts of Free Association, sec. 141 (48 U.S.C. 1901 note, 1931 note); 8 CFR 212.1(d)
    }
)
"""Classes in which D/S means: no end that could be computed."""

WITHOUT_DATE: dict[str, int] = {
    "WB": 90,  # INA 217(a)(1), 214(a)(1)
    "WT": 90,
    "GMB": 45,  # INA 212(l)(1), 214(a)(1); 8 CFR 212.1(q)(1)
    "GMT": 45,
    "K2": 90,  # 8 CFR 214.2(k)
    "K1": 90,  # INA 214(d)(1); 8 CFR 214.2(k)
    "C1": 29,  # 8 CFR 214.2(c)(3)
    "D1": 29,  # INA 252(a); 8 CFR 214.2(d)(1)
    "D2": 29,
}
"""Days of stay that the law gives itself, where no date was written down. The day of arrival is the first of them."""

DATED = frozenset(
    {
        *("A3", "G5", "N7"),  # 8 CFR 214.2(a)(1), (g)(1), (s)(1): three years at most, never D/S
        *("B1", "B2"),  # 8 CFR 214.2(b)(1), (2)
        *("C2", "C3"),  # 8 CFR 214.2(c)
        "DT",  # parole for deferred inspection, 8 CFR 235.2
        *("CW1", "CW2"),  # 8 CFR 214.2(w)
        *("E1", "E2", "E3", "E2C"),  # 8 CFR 214.2(e)
        *("F3", "M3"),  # 8 CFR 214.2(f)(18)(iii), (m)(19)(iii): border commuters, to a date
        *("S5", "S6"),  # INA 214(k)(2)
        *("V1", "V2", "V3"),  # 8 CFR 214.15(g)
        *("H1B", "H1B1", "H2A", "H2B", "H3", "H4"),  # 8 CFR 214.2(h)
        *("K2", "K3", "K4"),  # 8 CFR 214.2(k)
        *("L1", "L2"),  # 8 CFR 214.2(l)
        *("O1", "O2", "O3"),  # 8 CFR 214.2(o)
        *("P1", "P2", "P3", "P4"),  # 8 CFR 214.2(p)
        "Q1",  # 8 CFR 214.2(q)
        *("R1", "R2"),  # 8 CFR 214.2(r)
        *("T1", "U1"),  # 8 CFR 214.11, 214.14
        *("TN", "TD"),  # 8 CFR 214.6
        "TPS",  # INA 244(f)(3): back from a trip with leave
    }
)
"""Classes that are admitted to a date."""

SAME_CLASS: dict[str, str] = {
    **{"GB": "GMB", "GT": "GMT"},  # the Guam waiver's codes before that of Guam and the CNMI: 8 CFR 212.1(e), (q)
    **{"P1A": "P1", "P1B": "P1", "P1S": "P1", "P2S": "P2", "P3S": "P3"},  # 8 CFR 214.2(p)(4)(iv), (5)(iii), (6)(iii)
    **{"L1A": "L1", "L1B": "L1", "O1A": "O1", "O1B": "O1", "TN1": "TN", "TN2": "TN"},
    **{"E3R": "E3", "HSC": "H1B1"},  # 22 CFR 41.12: a returning E-3
    **dict.fromkeys(("E1S", "E1Y", "E2S", "E2Y", "E3D", "E3S", "E3Y"), "TD"),  # 8 CFR 214.2(e)(4), 214.1(l)(1)
    **{"L2S": "L2", "L2Y": "L2", "TB": "TD"},
    **{"N8": "E2C", "N9": "E2C"},  # INA 101(a)(15)(N); 8 CFR 214.2(n): to a date
    **{"CHP": "PAR", "HHP": "PAR", "NHP": "PAR", "VHP": "PAR"},
    **dict.fromkeys(("CC", "CP", "DA", "DE", "OAR", "PI", "UHP"), "PAR"),
    **{f"NATO{number}": f"N{number}" for number in range(1, 8)},
    **{"I1": "I", "MIS": "RMI", "PLW": "PAL", "TC": "TN", "C4": "C2", "H2R": "H2B", "Q2": "Q1", "Q3": "Q1"},
    **{"H1C": "H3", "H3A": "H3", "H3B": "H3", "S1": "S5", "S2": "S5", "S7": "S5"},
    **dict.fromkeys(("T2", "T3", "T4", "T5", "T6"), "T1"),  # INA 101(a)(15)(T)(ii)
    **dict.fromkeys(("U2", "U3", "U4", "U5"), "U1"),  # INA 101(a)(15)(U)(ii)
}
"""Codes of the I-94 that say no more of the stay than another."""
PAROLE_PROGRAM_ENDED = (date(2025, 4, 24), date(2025, 5, 31))
"""Parole of Cubans, Haitians, Nicaraguans and Venezuelans: ended by 90 FR 13611 on 24 April 2025, stayed by D. Mass. on
14 April, the stay lifted on 30 May 2025 (Noem v. Doe, No. 24A1079). The day from which it may be over, and is."""
PAROLE_PROGRAM = frozenset({"CHP", "HHP", "NHP", "VHP"})

KNOWN = STUDENTS | EXCHANGE | VOCATIONAL | UNLIMITED | DATED | frozenset(WITHOUT_DATE)

SIXTY_DAYS = frozenset({"E1", "E2", "E3", "H1B", "H1B1", "L1", "O1", "TN"})
"""Up to 60 days behind the end of the employment, never past the date (8 CFR 214.1(l)(2), where P is not named)."""
SIXTY_DAYS_H2 = frozenset({"H2A", "H2B"})
"""The same since 17 January 2025 (8 CFR 214.2(h)(13)(i)(C) as of 89 FR 103202)."""
H2_SINCE = date(2025, 1, 17)
CAP_GAP_TO_APRIL = date(2025, 1, 17)  # 89 FR 103054: up to 1 October before that
SIXTY_SINCE = date(2017, 1, 17)  # 81 FR 82398
WORKERS = (
    SIXTY_DAYS
    | SIXTY_DAYS_H2
    | frozenset({"H3", "O2", "P1", "P2", "P3", "Q1", "R1", "CW1"})  # status rests on the work: 8 CFR 214.1(e), 214.2
)

TEN_DAYS = frozenset(
    {
        *("E1", "E2", "E3", "H1B", "L1", "TN", "H4", "L2", "TD"),  # 8 CFR 214.1(l)(1), with dependents
        *("H3",),  # 8 CFR 214.2(h)(13)(i)(A)
        *("O1", "O2", "O3"),  # 8 CFR 214.2(o)(10)
        *("P1", "P2", "P3", "P4"),  # 8 CFR 214.2(p)(12)
        *("CW1", "CW2"),  # 8 CFR 214.2(w)(16); USCIS, 14 October 2016: to leave within ten days
    }
)
"""Up to ten days behind the date, where endorsed."""
ENDORSED_AND_OPEN = TEN_DAYS & {"E1", "E2", "E3", "H1B", "L1", "TN", "H4", "L2", "TD"}
"""In the ten days more time or another class may be asked for: 8 CFR 214.1(l)(3), of those in (l)(1)."""
H2A_SINCE = date(2009, 1, 17)  # 73 FR 76891: thirty days behind the petition's end for H-2A, 8 CFR 214.2(h)(5)(viii)(B)
THIRTY_DAYS = (
    SIXTY_DAYS_H2  # up to 30 days behind the petition's end, 8 CFR 214.2(h)(5)(viii)(B), (h)(13)(i)(A) (89 FR 103202)
)

NO_EXTENSION_NO_CHANGE = frozenset(
    {
        *("WB", "WT"),  # 8 CFR 214.1(c)(3)(i); INA 248(a)(4)
        *("GMB", "GMT"),  # INA 248(a)(4) with 212(l)
        *("C1", "C2", "C3"),  # 8 CFR 214.1(c)(3)(ii); INA 248(a)(1)
        *("D1", "D2"),  # 8 CFR 214.1(c)(3)(iii); INA 248(a)(1)
        *("K1", "K2"),  # 8 CFR 214.1(c)(3)(iv); INA 248(a)(1)
        *("S5", "S6"),  # INA 214(k)(2), 248(a)(1)
    }
)
NO_CHANGE = frozenset({"K3", "K4"})  # INA 248(a)(1); an extension is open to them: 8 CFR 214.2(k)(10)
VICTIMS = frozenset({"T1", "U1"})  # the classes of victims in `DATED`
KEEPS_ADJUSTMENT = (
    frozenset({"H1B", "H4", "L1", "L2"}),  # 8 CFR 245.2(a)(4)(ii)(C)
    frozenset({"K3", "K4"}),  # (D)
    frozenset({"V1", "V2", "V3"}),
)
"""Who leaves and comes back in the same family of classes has not abandoned his adjustment."""

KEPT_ABROAD = frozenset(
    {
        *("asylum_pending", "asylum_denied"),  # 8 CFR 208.8: advance parole keeps it
        *("tps", "tps_withdrawn"),  # INA 244(f)(3); 8 CFR 244.15
    }
)
"""Facts that count for who comes back on parole, or in TPS itself."""

SATISFACTORY_DEPARTURE = {
    "WB": 30,  # 8 CFR 217.3(a)
    "WT": 30,
    "GMB": 15,  # 8 CFR 212.1(q)(7): "not to exceed 15 days"
    "GMT": 15,
}

GRACE_OF_PROGRAMS = {
    "F1": 60,  # 8 CFR 214.2(f)(5)(iv)
    "F2": 60,
    "J1": 30,  # 8 CFR 214.2(j)(1)(ii)
    "J2": 30,
    "M1": 30,  # 8 CFR 214.2(m)(5), inside the date
    "M2": 30,
}
WITHDRAWAL = {"F1": 15, "F2": 15}  # 8 CFR 214.2(f)(5)(iv): an authorised withdrawal

VOLUNTARY_DEPARTURE = {None: 120, "after-proceedings": 60}  # INA 240B(a)(2)(A), (b)(2); 8 CFR 240.26(c), (e)

TPS_ENDED: dict[str, tuple[date, date]] = {
    # the Supreme Court held on 25 June 2026 (Mullin v. Doe) that courts do not review the Secretary's terminations;
    # between a notice's day and the first day on which no order stood against it, both readings are left open
    "VEN": (date(2025, 4, 7), date(2025, 11, 8)),  # 90 FR 8805, 90 FR 43225; stays of 19 May and 3 October 2025
    "HTI": (date(2025, 9, 2), date(2026, 9, 1)),  # 90 FR 54733: 3 February 2026, stayed up to Mullin v. Doe
    "SYR": (date(2025, 11, 21), date(2026, 9, 1)),  # 90 FR 45398, stayed up to Mullin v. Doe
    # notices whose last day and orders of courts this table does not follow
    **dict.fromkeys(("BUR", "MMR", "ETH", "SSD", "SOM", "YEM"), (date(2025, 11, 1), date.max)),
    **dict.fromkeys(("AFG", "CMR", "HND", "NIC", "NPL"), (date(2025, 7, 1), date.max)),
}
"""Designations that ended by notice: the day from which they may be over, and the one from which they are."""

PAPER_SINCE = date(2023, 3, 29)  # USCIS Policy Manual vol. 1 part B ch. 6; 8 CFR 1.2 "day"

UNLAWFUL_DAYS = 180  # INA 212(a)(9)(B)(i)(I)
REVALIDATION_DAYS = 30  # 22 CFR 41.112(d)(2); 8 CFR 214.1(b)

STRENGTH = (
    *("biometric", "inspected", "removal", "foreign_entry"),
    *("manifest_closed", "manifest", "shown", "booking"),
)
"""Evidence of a departure, strongest first."""
STRONG = frozenset({"biometric", "inspected", "removal", "foreign_entry"})
