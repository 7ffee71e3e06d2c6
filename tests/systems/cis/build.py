"""Extracts of CIS built from plain words: a header, details by kind, a trailer that is right for them."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from adapters.systems.cis.adapter import FORMAT

Fields = dict[str, Any]
LAYOUT = FORMAT.layout
PARTS = {"I": "IMMIGRANT-DATA", "E": "EAD-DATA", "B": "CARD-DATA", "P": "PETITION-DATA"}
ALIASES = [{"MORE-LAST-NAME": "", "MORE-FIRST-NAME": ""}] * 2
MOVES = [{"MOVED-TO": "", "MOVED-ON": 0}] * 6
ROW: Fields = {
    "A-NUMBER": "099123456",
    "FCO": "NRC",
    "DATE-FILE-OPEN": 3_142_019,
    "LAST-NAME": "GARCIA LOPEZ",
    "FIRST-NAME": "MARIA",
    "MIDDLE-NAME": "JOSE",
    "MOTHER-FIRST-NAME": "ANA",
    "FATHER-FIRST-NAME": "LUIS",
    "ALIAS-LAST-NAME": "",
    "ALIAS-FIRST-NAME": "",
    "BIRTH-DATE": 5_231_987,
    "BIRTH-COUNTRY": "MEXIC",
    "CITIZENSHIP-COUNTRY": "MEXIC",
    "CLASS-OF-ADMISSION": "IR6",
    "CLASS-DESCRIPTION": "SPOUSE OF U.S. CITIZEN",
    "PORT-OF-ENTRY": "LOS",
    "DATE-OF-ENTRY": 11_022_018,
    "SEX": "F",
    "SOCIAL-SECURITY": "000000000",
    "I94-NUMBER": "123456789A1",
    "PASSPORT": "G12345678",
    "FBI-NUMBER": "123456AA7",
    "DRIVERS-LICENCE": "D0000001",
    "FINGERPRINT-CODE": "",
    "TRAVEL-DOCUMENT": "",
    "FIN": "1234567",
    "RECORD-KIND": "I",
    "IMMIGRANT-DATA": {"RESIDENT-SINCE": 0, "NATURALISED-ON": 0},
    "SOURCE-SYSTEM": "",
    "SOURCE-RECORD": "",
    "MORE-ALIASES": ALIASES,
    "FILE-MOVES": MOVES,
    "LAST-UPDATED": 20250314043000,
}
DATA: dict[str, Fields] = {
    "I": {"RESIDENT-SINCE": 0, "NATURALISED-ON": 0},
    "E": {"EAD-CATEGORY": "C09", "EAD-FROM": 20240102, "EAD-UNTIL": 20260101},
    "B": {"CARD-NUMBER": "TIJ0000000001"},
    "P": {"PETITION-RECEIPT": "EAC0000000001"},
}


def row(**changes: Any) -> bytes:
    """A detail record: names with underscores, those of the kind's own part too."""
    fields = {name: value for name, value in ROW.items() if name != "IMMIGRANT-DATA"}
    kind = changes.get("RECORD_KIND", "I")
    part = dict(DATA.get(kind, DATA["I"]))
    for name, value in changes.items():
        name = name.replace("_", "-")
        if name in part:
            part[name] = value
        else:
            fields[name] = value
    return LAYOUT.encode({"RECORD-TYPE": "D", "DETAIL-BODY": fields | {PARTS.get(kind, "IMMIGRANT-DATA"): part}})


def header(sequence: int = 412, **changes: Any) -> bytes:
    """A header record."""
    known = {"INTERFACE-ID": "USCISCIS", "INTERFACE-VERSION": 100, "EXTRACT-SEQUENCE": sequence}
    fields = known | {"EXTRACT-DATE": 3142025} | {name.replace("_", "-"): value for name, value in changes.items()}
    return LAYOUT.encode({"RECORD-TYPE": "H", "HEADER-BODY": fields})


def trailer(rows: Sequence[bytes], sequence: int = 412, **changes: Any) -> bytes:
    """The trailer that is right for these details."""
    kinds = [each[401:402].decode("cp037") for each in rows]
    fields = {"TRAILER-SEQUENCE": sequence, "DETAIL-COUNT": len(rows), "IMMIGRANT-COUNT": kinds.count("I")}
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    return LAYOUT.encode({"RECORD-TYPE": "T", "TRAILER-BODY": fields})


def extract(rows: Sequence[bytes], sequence: int = 412, **changes: Any) -> bytes:
    """A whole file."""
    return header(sequence, **changes) + b"".join(rows) + trailer(rows, sequence)


def nights(*extracts: bytes) -> bytes:
    """Successive extracts as an archive."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, each in enumerate(extracts, 1):
            info = tarfile.TarInfo(f"CIS.D2025031{number}.S{number:09}")
            info.size = len(each)
            tar.addfile(info, BytesIO(each))
    return archive.getvalue()


def moved(*moves: tuple[str, int]) -> list[Fields]:
    """The table of moves."""
    used = [{"MOVED-TO": to, "MOVED-ON": on} for to, on in moves]
    return used + MOVES[len(used) :]


def other(number: int, **changes: Any) -> bytes:
    """A row of another A-number, whose person has nothing else in common with the first."""
    bare = dict.fromkeys(("I94_NUMBER", "PASSPORT", "FBI_NUMBER", "FIN"), "")
    return row(A_NUMBER=f"0990000{number:02}", **(bare | changes))


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    whole = extract([row(), other(1)])
    spoiled = bytearray(row())
    spoiled[13:21] = bytes(8)  # DATE-FILE-OPEN, which is no number
    unpacked = bytearray(row(NATURALISED_ON=20240704))
    unpacked[402:407] = b"\xc1" * 5  # RESIDENT-SINCE, which is no packed number
    alias = [{"MORE-LAST-NAME": "LOPEZ", "MORE-FIRST-NAME": "MARIA"}, {"MORE-LAST-NAME": "", "MORE-FIRST-NAME": "MJ"}]
    known = {
        "immigrant": extract([row(RESIDENT_SINCE=20190313, SOURCE_SYSTEM="CLAIMS3", SOURCE_RECORD="EAC1990000001")]),
        "citizen": extract([row(RESIDENT_SINCE=20190313, NATURALISED_ON=20240704, SOURCE_SYSTEM="CLAIMS4")]),
        "not-only-immigrants": extract(
            [other(1, RECORD_KIND="E"), other(2, RECORD_KIND="B"), other(3, RECORD_KIND="P"), other(4)]
        ),
        "work-permit-without-its-days": extract(
            [row(RECORD_KIND="E", EAD_FROM=0), other(1, RECORD_KIND="E", EAD_UNTIL=0)]
        ),
        "aliases-and-names-that-are-cut": extract(
            [
                row(
                    LAST_NAME="WOLFESCHLEGELSTEINHAUSENBERGERDORFFWELCHEVORALTERN"[:40],
                    FIRST_NAME="HUBERT BLAINE SENIOR ADOLPH"[:25],
                    MIDDLE_NAME="",
                    ALIAS_LAST_NAME="WOLFE",
                    ALIAS_FIRST_NAME="HUBERT",
                    MORE_ALIASES=alias,
                ),
                other(1, LAST_NAME="", FIRST_NAME="MADONNA", MIDDLE_NAME="", ALIAS_FIRST_NAME="CICCONE"),
            ]
        ),
        "a-file-that-moves": extract([row(FILE_MOVES=moved(("NRC", 20190401), ("LOS", 20240102), ("MSC", 20241301)))]),
        "countries-of-the-former-ins": extract(
            [
                other(number, CITIZENSHIP_COUNTRY=country)
                for number, country in enumerate(("RALIA", "STRIA", "AUSTR", "UK", "NIGE", "NIGIA", "STATE", "ZZZ", ""))
            ]
        ),
        "fin-of-four-to-ten-digits": extract(
            [other(number, FIN=fin) for number, fin in enumerate(("1234", "1234567890", "123", "12A4"))]
        ),
        "description-of-an-older-edition": extract(
            [row(CLASS_DESCRIPTION="SPOUSE OF U.S. CITIZEN (CONDITIONAL)"[:34]), other(1, CLASS_OF_ADMISSION="Q9X")]
        ),
        "classes-that-the-law-protects": extract(
            [
                other(number, CLASS_OF_ADMISSION=admitted)
                for number, admitted in enumerate(("AS6", "T1", "SU6", "IB1", "B11", "B1", "B2", "TN"))
            ]
        ),
        "permits-that-betray": extract(
            [other(number, RECORD_KIND="E", EAD_CATEGORY=at) for number, at in enumerate(("C08", "A12", "A19", "C09"))]
            + [other(9, SOURCE_SYSTEM="RAPS", SOURCE_RECORD="ZLA1")]
        ),
        "dates-month-first": extract(
            [
                other(1, BIRTH_DATE=12_311_999, DATE_OF_ENTRY=1_022_018),
                other(2, BIRTH_DATE=1_987, DATE_OF_ENTRY=0),
                other(3, BIRTH_DATE=5_001_987, DATE_OF_ENTRY=31_122_018),
                other(4, BIRTH_DATE=0, PORT_OF_ENTRY="TOR"),
                other(5, BIRTH_DATE=31_121_999, PORT_OF_ENTRY=""),
            ]
        ),
        "a-row-changes-and-goes": nights(
            extract([row(), other(1), other(2)], 1),
            extract([row(RESIDENT_SINCE=20190313), other(1)], 2),
            extract([row(RESIDENT_SINCE=20190313), other(1), other(2)], 3),
        ),
        "kind-changes": nights(extract([other(1), other(2)], 1), extract([other(1, RECORD_KIND="P"), other(2)], 2)),
        "an-older-extract": nights(extract([row()], 7), extract([row(), other(1)], 6)),
        "lost-most-of-its-rows": nights(
            extract([other(number) for number in range(30)], 1), extract([other(number) for number in range(3)], 2)
        ),
        "a-row-that-cannot-be-read-is-no-deletion": nights(
            extract([row(), other(1)], 1), extract([bytes(spoiled), other(1)], 2)
        ),
        "wrong-values": extract(
            [
                row(A_NUMBER="A9912345"),
                row(A_NUMBER="099000001", DATE_FILE_OPEN=0),
                row(A_NUMBER="099000002", RECORD_KIND="X"),
                row(A_NUMBER="099000003", LAST_UPDATED=20251301000000),
                row(A_NUMBER="099000004", DATE_FILE_OPEN=3_152_026),
                other(5),
            ]
        ),
        "wrong-optional-values": extract(
            [
                bytes(unpacked),
                row(
                    A_NUMBER="099000001",
                    FIN="",
                    SEX="Q",
                    FCO="??",
                    I94_NUMBER="12",
                    FBI_NUMBER="1",
                    PASSPORT="1",
                    CLASS_OF_ADMISSION="??",
                ),
            ]
        ),
        "cut-short": whole[:-400],
        "wrong-count": header() + row() + trailer([row(), row()]),
        "another-version": extract([row()], INTERFACE_VERSION=200),
        "empty": extract([]),
    }
    return {f"{name}/input.{'tar' if data[257:262] == b'ustar' else 'dat'}": data for name, data in known.items()}
