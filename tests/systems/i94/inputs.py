"""The inputs of the I-94's cases: what the interface says, what mainframes write where others would write something
plainer, and what is wrong."""

from __future__ import annotations

from systems.i94.build import ARRIVAL, DEPARTURE, EXTENSION, HEADER, detail, header, night, trailer

PLACES = {
    "INTERFACE-ID": 1, "PREVIOUS-SEQUENCE": 41, "COVERAGE-COUNT": 47, "COVERAGE": 49, "UNUSED-COVERAGE": 109,
    "HEADER-FILLER": 229,
    "TXN-NUMBER": 3, "I94-NUMBER": 23, "FAMILY-NAME": 34, "GIVEN-NAME": 73, "BIRTH-DATE": 112, "VISA-FOIL": 142,
    "MODE-CODE": 153, "EVENT-DATE": 167, "EVENT-FOLD": 181, "ADMITTED-UNTIL": 188, "GRANTED-UNTIL": 187,
    "VALID-FROM": 192, "OFFICER-ID": 212, "DETAIL-FILLER": 224,
    "DETAIL-COUNT": 7, "HASH-TOTAL": 23, "TRAILER-FILLER": 32,
}  # fmt: skip
"""Offsets from 0, as the interface's page has the positions (from 1)."""


def put(record: bytes, name: str, data: bytes) -> bytes:
    """The record with other bytes in a field."""
    at = PLACES[name]
    return record[:at] + data + record[at + len(data) :]


def name(text: str) -> bytes:
    """A name of 39 characters."""
    return text.ljust(39).encode("cp037")


def around(*details: bytes, first: bytes | None = None, last: bytes | None = None) -> bytes:
    """A file of these details."""
    return (first or header()) + b"".join(details) + (last or trailer(details))


def signs() -> dict[str, bytes]:
    """Sign half-bytes: A, C, E and F are plus (Principles of Operation), and unsigned numbers have any of them."""
    arrival, departure, extension = detail(ARRIVAL), detail(DEPARTURE), detail(EXTENSION)
    until = [put(arrival, "ADMITTED-UNTIL", bytes.fromhex(f"020250913{sign}")) for sign in "ACEF"]
    keys = [
        put(departure, "TXN-NUMBER", bytes.fromhex(f"0200000001{number}{sign}"))
        for number, sign in enumerate("ACEF", 3)
    ]
    total = trailer([arrival])
    return {
        "packed-signs-of-a-date": around(*[
            put(each, "TXN-NUMBER", bytes.fromhex(f"0200000002{number}F")) for number, each in enumerate(until)
        ]),
        "packed-signs-of-a-key": around(*keys),
        "packed-sign-of-a-total": around(arrival, last=put(total, "HASH-TOTAL", bytes.fromhex("00000020000000017F"))),
        "packed-zero-with-a-minus": around(put(extension, "VALID-FROM", bytes.fromhex("000000000D"))),
        "duration-of-status-with-a-date": night([detail(ARRIVAL, ADMISSION_CLASS="F1", ADMITTED_KIND="S")]),
        "greatest-numbers": night(
            [detail(ARRIVAL, TXN_NUMBER=99999999999, ADMITTED_UNTIL=99991231), detail(DEPARTURE, TXN_NUMBER=1)], 999999
        ),
    }  # fmt: skip


def texts() -> dict[str, bytes]:
    """Text fields: code page 037 beyond ASCII, blanks and binary zeros, full width."""
    arrival = detail(ARRIVAL)
    return {
        "letters-of-code-page-037": around(
            put(put(arrival, "FAMILY-NAME", name("NÚÑEZ ÅÄÖ ÇÃÕ")), "GIVEN-NAME", name("ZOË ÞÓRÐUR ß"))
        ),
        "signs-in-names": around(
            put(put(arrival, "FAMILY-NAME", name("O'BRIEN-SMITH")), "GIVEN-NAME", name("J. R. (JR)"))
        ),
        "brackets-and-not-sign": around(put(arrival, "FAMILY-NAME", name("A[B]C^D¬E|F!G"))),
        "lower-case": around(put(put(arrival, "FAMILY-NAME", name("van der Berg")), "GIVEN-NAME", name("maría josé"))),
        "names-of-full-width": around(put(put(arrival, "FAMILY-NAME", name("F" * 39)), "GIVEN-NAME", name("G" * 39))),
        "names-that-begin-with-blanks": around(put(arrival, "FAMILY-NAME", name("  GARCIA   LOPEZ"))),
        "binary-zeros-behind-text": around(
            put(put(arrival, "FAMILY-NAME", "GARCIA".encode("cp037") + bytes(33)), "GIVEN-NAME", bytes(39))
        ),
        "binary-zeros-for-absent": around(put(put(arrival, "VISA-FOIL", bytes(8)), "GIVEN-NAME", bytes(39))),
        "family-and-given-name-unknown": around(
            put(put(arrival, "FAMILY-NAME", name("FNU")), "GIVEN-NAME", name("LNU"))
        ),
        "number-with-letters": night([
            detail(ARRIVAL, I94_NUMBER="12345678901"),
            detail(DEPARTURE, I94_NUMBER="123456789Z9"),
            detail(EXTENSION, I94_NUMBER="000000000A0"),
        ]),
        "foils-of-digits": night([detail(ARRIVAL, VISA_FOIL="12345678"), detail(DEPARTURE, VISA_FOIL="A0000000")]),
        "passport-number-of-full-width": night([
            detail(ARRIVAL, PASSPORT_NUMBER="A23456789012345", PASSPORT_STATE="D")
        ]),
        "states-of-one-letter-and-of-nobody": night([
            detail(ARRIVAL, CITIZENSHIP="D", PASSPORT_STATE="D"),
            detail(DEPARTURE, CITIZENSHIP="XXA", PASSPORT_STATE="UNO"),
            detail(EXTENSION, CITIZENSHIP="GBN", PASSPORT_STATE="GBD"),
        ]),
        "ports-of-the-former-ins": night([
            detail(base, TXN_NUMBER=20000000180 + at, PORT_CODE=code)
            for at, (base, code) in enumerate(
                [(ARRIVAL, "LOS"), (DEPARTURE, "SFR"), (EXTENSION, "AGA"), (ARRIVAL, "TOR"), (ARRIVAL, "LAS")]
                + [(DEPARTURE, code) for code in ("XXX", "888", "UNK", "BAN", "")]
            )
        ]),
        "numbers-of-countries": night([
            detail(ARRIVAL, TXN_NUMBER=20000000170 + at, CITIZENSHIP=number, PASSPORT_STATE=number)
            for at, number in enumerate(("582", "135", "209", "574", "999", "187", "180", "QQQ"))
        ]),
    }  # fmt: skip


def fillers() -> dict[str, bytes]:
    """Bytes that the interface leaves open: whatever is in them, nothing else changes."""
    arrival = detail(ARRIVAL)
    wild = bytes(range(26))
    return {
        "anything-in-fillers": around(
            put(arrival, "DETAIL-FILLER", wild),
            first=put(header(), "HEADER-FILLER", b"\xff" * 21),
            last=put(trailer([arrival]), "TRAILER-FILLER", bytes(218)),
        ),
        "one-scope": night([arrival], COVERAGE_COUNT=1, COVERAGE=HEADER["COVERAGE"][:1]),
        "first-file": night([arrival], 1, PREVIOUS_SEQUENCE=0),
        "six-scopes": night(
            [arrival],
            COVERAGE_COUNT=6,
            COVERAGE=[
                {"COVERAGE-SCOPE": scope, "COVERAGE-SINCE": 20250314040000, "COVERAGE-THROUGH": 20250315040000}
                for scope in ("AA", "AS", "AL", "DA", "DS", "DL")
            ],
        ),
        "no-scope": night([arrival], COVERAGE_COUNT=0, COVERAGE=[]),
        "coverage-of-no-time": night(
            [],
            COVERAGE_COUNT=1,
            COVERAGE=[{"COVERAGE-SCOPE": "DA", "COVERAGE-SINCE": 20250315040000, "COVERAGE-THROUGH": 20250315040000}],
        ),
        "type-data-behind-the-evidence": around(
            detail(DEPARTURE)[:183] + "ANY BYTES OF A FILLER HERE   ".encode("cp037") + detail(DEPARTURE)[212:]
        ),
    }


def ignored() -> dict[str, bytes]:
    """Bytes that could not be read as what their field is, where the interface ignores it."""
    arrival, departure, extension = detail(ARRIVAL), detail(DEPARTURE), detail(EXTENSION, GRANTED_KIND="S")
    some_day = detail(DEPARTURE, TXN_NUMBER=20, EVENT_TIME=999999)
    student = detail(ARRIVAL, ADMISSION_CLASS="F1", ADMITTED_KIND="S")
    unstated = detail(ARRIVAL, TXN_NUMBER=21, ADMITTED_KIND="")
    wild = bytes(range(14))
    return {
        "header-with-blanks-in-what-is-ignored": around(
            arrival, first=put(put(header(), "PREVIOUS-SEQUENCE", b"\x40" * 6), "UNUSED-COVERAGE", b"\x40" * 120)
        ),
        "binary-zeros-behind-the-coverage": around(arrival, first=put(header(), "UNUSED-COVERAGE", bytes(120))),
        "anything-in-what-is-ignored": around(
            put(departure, "OFFICER-ID", wild[:12]),
            put(put(extension, "MODE-CODE", wild), "OFFICER-ID", wild[:12]),
            put(some_day, "EVENT-FOLD", b"\1"),
            last=trailer([departure, extension, some_day]),
        ),
        "duration-of-status-without-a-date": around(
            put(student, "ADMITTED-UNTIL", b"\x40" * 5),
            put(extension, "GRANTED-UNTIL", bytes(5)),
            put(unstated, "ADMITTED-UNTIL", bytes(5)),
            last=trailer([student, extension, unstated]),
        ),
    }


def lengths() -> dict[str, bytes]:
    """Records that are shorter or longer than they should be: those around them are read."""
    details = [detail(DEPARTURE, TXN_NUMBER=number) for number in range(1, 6)]
    first, last = header(), trailer(details)

    def file(*changed: bytes) -> bytes:
        return around(*changed, *details[len(changed) :], first=first, last=last)

    one, two, three = details[:3]
    return {
        "record-cut-short": file(one, two[:-1]),
        "record-cut-to-its-key": file(one, two[:9]),
        "record-longer-by-a-byte": file(one, two + b"\x40"),
        "record-with-a-line-end": file(one, two + b"\x0d\x25"),
        "bytes-lost-inside-a-record": file(one, two[:80] + two[90:]),
        "bytes-lost-where-a-record-begins": file(one, two[3:]),
        "bytes-too-many-inside-a-record": file(one, two[:80] + b"\xc4\xc4\xc4" + two[80:]),
        "two-records-cut-short": file(one[:-1], two, three[:-30]),
        "last-record-cut-short": around(*details[:4], details[4][:-7], first=first, last=last),
        "header-longer-by-a-byte": around(*details, first=first + b"\x40", last=last),
        "header-cut-short": around(*details, first=first[:-1], last=last),
        "trailer-cut-short": around(*details, first=first, last=last[:-1]),
    }


def days() -> dict[str, bytes]:
    """Days and hours."""
    return {
        "leap-day": night([
            detail(ARRIVAL, EVENT_DATE=20240229, BIRTH_DATE=20000229, ADMITTED_UNTIL=20240828),
            detail(DEPARTURE, EVENT_DATE=20240229, EVENT_TIME=235959),
        ]),
        "midnight": night([detail(ARRIVAL, EVENT_TIME=0), detail(DEPARTURE, EVENT_TIME=1)]),
        "hour-that-is-skipped": night([detail(ARRIVAL, EVENT_DATE=20250309, EVENT_TIME=23000)]),
        "fold-that-says-first": night([
            detail(ARRIVAL, EVENT_DATE=20241103, EVENT_TIME=13000, EVENT_FOLD="1"),
            detail(DEPARTURE, EVENT_TIME=999999, EVENT_FOLD="2"),
        ]),
        "zones-far-apart": night([
            detail(ARRIVAL, TXN_NUMBER=number, PORT_CODE=port)
            for number, port in enumerate(("GUM", "HNL", "AUH", "DUB", "PHX", "KTN"), 1)
        ]),
        "born-on-the-day": night([detail(ARRIVAL, BIRTH_DATE=20250314), detail(DEPARTURE, BIRTH_DATE=19000101)]),
        "told-months-later": night([detail(ARRIVAL, EVENT_DATE=20250101, LAST_UPDATED=20250314235959)]),
    }  # fmt: skip


def codes() -> dict[str, bytes]:
    """Each code of a table once."""
    return {
        "every-evidence": night([
            detail(DEPARTURE, TXN_NUMBER=number, EVIDENCE_CODE=code) for number, code in enumerate("BIRLMC", 1)
        ]),
        "classes-of-four-characters": night([
            detail(ARRIVAL, TXN_NUMBER=1, ADMISSION_CLASS="H1B1"),
            detail(ARRIVAL, TXN_NUMBER=2, ADMISSION_CLASS="I"),
            detail(EXTENSION, TXN_NUMBER=3, GRANTED_CLASS="CW1"),
        ]),
        "sea-and-land": night([
            detail(ARRIVAL, PORT_CODE="PMI", MODE_CODE="S", CARRIER_CODE="RCL", CONVEYANCE="WONDER-12"),
            detail(DEPARTURE, PORT_CODE="SYS", MODE_CODE="L", CARRIER_CODE="", CONVEYANCE="6ABC123"),
        ]),
        "period-not-stated": night([detail(ARRIVAL, ADMISSION_CLASS="DT", ADMITTED_KIND="", ADMITTED_UNTIL=20250101)]),
        "deletions-of-all-kinds": night([
            detail(base, TXN_ACTION="D", LAST_UPDATED=20250316101500) for base in (ARRIVAL, DEPARTURE, EXTENSION)
        ]),
        "extension-with-what-is-ignored": night([
            detail(EXTENSION, MODE_CODE="?", CARRIER_CODE="???", CONVEYANCE="a b c")
        ]),
    }  # fmt: skip


def odd() -> dict[str, bytes]:
    """All of them: name of the case to bytes of the file."""
    return signs() | texts() | fillers() | ignored() | lengths() | days() | codes()


def plain() -> dict[str, bytes]:
    """Name of the case to bytes of the file."""
    arrival, departure, extension = detail(ARRIVAL), detail(DEPARTURE), detail(EXTENSION)
    three = [arrival, departure, extension]
    whole = night(three)
    packed = bytearray(arrival)
    packed[188:193] = b"\x20\x25\x0a\x13\x0c"
    sign = bytearray(departure)
    sign[3:9] = bytes.fromhex("020000000018")[:5] + b"\x87"
    blank = bytearray(arrival)
    blank[112:120] = b"\x40" * 8
    control = bytearray(arrival)
    control[34] = 0x05
    return {
        "three-kinds": whole,
        "empty-night": night([]),
        "no-bytes": b"",
        "truncated": whole[: 250 * 3 + 117],
        "no-trailer": whole[: 250 * 4],
        "ascii": whole.decode("cp037").encode("latin-1"),
        "ascii-text": b"".join(b"D%-248d\n" % number for number in range(3)),
        "line-ends": b"".join(whole[at : at + 250] + b"\x25" for at in range(0, len(whole), 250)),
        "bad-packed-date": header() + bytes(packed) + departure + trailer([arrival, departure]),
        "bad-packed-key": header() + arrival + bytes(sign) + trailer([arrival, departure]),
        "blank-number": header() + bytes(blank) + departure + trailer([arrival, departure]),
        "control-character": header() + bytes(control) + departure + trailer([arrival, departure]),
        "wrong-count": header() + arrival + trailer([arrival, departure]),
        "wrong-hash-total": header() + arrival + trailer([arrival], HASH_TOTAL=1),
        "wrong-trailer-sequence": header() + arrival + trailer([arrival], 411),
        "behind-the-trailer": whole + departure,
        "no-header": arrival + trailer([arrival]),
        "two-headers": header() + header() + arrival + trailer([arrival]),
        "other-interface": header(INTERFACE_VERSION=200) + arrival + trailer([arrival]),
        "coverage-backwards": night(
            [arrival],
            COVERAGE_COUNT=1,
            COVERAGE=[{"COVERAGE-SCOPE": "DA", "COVERAGE-SINCE": 20250315040000, "COVERAGE-THROUGH": 20250314040000}],
        ),
        "unknown-kind": header() + b"\xe9" + arrival[1:] + trailer([]),
        "unknown-transaction": header()
        + arrival[:1]
        + b"\xe9"
        + arrival[2:]
        + departure
        + trailer([departure], DETAIL_COUNT=2, HASH_TOTAL=40000000035),
        "invalid-date": night([detail(ARRIVAL, EVENT_DATE=20250230), departure]),
        "unknown-port": night([detail(ARRIVAL, PORT_CODE="QQQ"), departure]),
        "unknown-class": night([detail(ARRIVAL, ADMISSION_CLASS="ZZ"), departure]),
        "number-without-its-zeros": night([detail(ARRIVAL, I94_NUMBER="123456789"), departure]),
        "admitted-without-number": night([detail(ARRIVAL, I94_NUMBER=""), departure]),
        "correction": night(
            [detail(ARRIVAL, TXN_ACTION="C", ADMITTED_UNTIL=20250914, LAST_UPDATED=20250316101500)], 413
        ),
        "deletion": night([detail(DEPARTURE, TXN_ACTION="D", LAST_UPDATED=20250316101500)], 413),
        "day-of-birth-unknown": night(
            [
                detail(ARRIVAL, BIRTH_DATE=19870500),
                detail(DEPARTURE, BIRTH_DATE=19870000),
                detail(EXTENSION, BIRTH_DATE=0),
            ]
        ),
        "duration-of-status": night(
            [
                detail(ARRIVAL, ADMISSION_CLASS="F1", ADMITTED_KIND="S", ADMITTED_UNTIL=0),
                detail(EXTENSION, GRANTED_CLASS="F1", GRANTED_KIND="S", GRANTED_UNTIL=0, VALID_FROM=0),
            ]
        ),
        "single-name": night(
            [
                detail(ARRIVAL, FAMILY_NAME="SUPARMAN", GIVEN_NAME=""),
                detail(DEPARTURE, FAMILY_NAME="", GIVEN_NAME="SUPARMAN"),
                detail(EXTENSION, FAMILY_NAME="SUPARMAN", GIVEN_NAME="FNU"),
            ]
        ),
        "parole-and-refusal": night(
            [
                detail(ARRIVAL, ADMISSION_CLASS="DT", INSPECTION_CODE="P"),
                detail(
                    ARRIVAL,
                    TXN_NUMBER=20000000020,
                    INSPECTION_CODE="R",
                    I94_NUMBER="",
                    ADMISSION_CLASS="",
                    ADMITTED_KIND="",
                    ADMITTED_UNTIL=0,
                ),
                detail(ARRIVAL, TXN_NUMBER=20000000021, INSPECTION_CODE="W", ADMITTED_KIND="", ADMITTED_UNTIL=0),
            ]
        ),
        "hour-set-back": night(
            [
                detail(DEPARTURE, EVENT_DATE=20241103, EVENT_TIME=13000),
                detail(DEPARTURE, TXN_NUMBER=20000000022, EVENT_DATE=20241103, EVENT_TIME=13000, EVENT_FOLD="2"),
                detail(DEPARTURE, TXN_NUMBER=20000000023, EVENT_TIME=999999),
            ]
        ),
        "land-and-guam": night(
            [
                detail(DEPARTURE, PORT_CODE="PEM", MODE_CODE="L", CARRIER_CODE="", CONVEYANCE="", EVIDENCE_CODE="L"),
                detail(ARRIVAL, PORT_CODE="GUM", ADMISSION_CLASS="GMT"),
            ]
        ),
        "identifiers-alone": night(
            [
                detail(
                    DEPARTURE, FAMILY_NAME="", GIVEN_NAME="", SEX_CODE="", CITIZENSHIP="", BIRTH_DATE=0, VISA_FOIL=""
                ),
                detail(
                    EXTENSION,
                    FAMILY_NAME="",
                    GIVEN_NAME="",
                    I94_NUMBER="",
                    PASSPORT_STATE="",
                    PASSPORT_NUMBER="",
                    VISA_FOIL="",
                ),
            ]
        ),
        "passport-without-state": night([detail(ARRIVAL, PASSPORT_STATE=""), departure]),
        "passport-without-number": night([detail(ARRIVAL, PASSPORT_NUMBER=""), departure]),
    }


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    return {f"{name}/input.dat": data for name, data in (plain() | odd()).items()}
