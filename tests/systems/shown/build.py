"""Files of SHOWN, built from plain words."""

from __future__ import annotations

ENTRY = {
    "ENTRY": "S0001",
    "ACTION": "N",
    "RESULT": "A",
    "I94-NUMBER": "123456789A1",
    "PASSPORT": "PAA123456",
    "PASSPORT-STATE": "ESP",
    "FAMILY-NAME": "GARCIA LOPEZ",
    "GIVEN-NAME": "MARIA JOSE",
    "BIRTH-DATE": "1987-05-23",
    "SEX": "F",
    "CITIZENSHIP": "ESP",
    "DEPARTED": "2025-03-14",
    "PORT": "JFK",
    "CARRIER": "IB",
    "PAPERS": "PASS",
    "ENTERED": "2025-09-01T10:00:00-04:00",
    "OFFICER": "K0017",
}


def detail(**changed: str) -> dict[str, str]:
    """An entry with some of its fields changed; `_` stands for `-`."""
    return ENTRY | {name.replace("_", "-"): value for name, value in changed.items()}


def file(*entries: dict[str, str], sequence: str = "7", version: str = "1", trailer: str | None = None) -> bytes:
    """A whole file."""
    lines = [f"H|{version}|{sequence}", *("|".join(("D", *entry.values())) for entry in entries)]
    lines.append(f"T|{sequence}|{len(entries)}" if trailer is None else trailer)
    return "".join(f"{line}\n" for line in lines).encode()


def inputs() -> dict[str, bytes]:
    """The inputs of all cases."""
    nobody = dict.fromkeys(("I94_NUMBER", "PASSPORT", "PASSPORT_STATE", "FAMILY_NAME", "GIVEN_NAME"), "")
    cases = {
        "accepted": file(ENTRY),
        "not-accepted": file(detail(RESULT="R"), detail(ENTRY="S0002", RESULT="R", ACTION="C")),
        "correction": file(ENTRY, detail(ACTION="C", DEPARTED="2025-03-16", PORT="")),
        "two-files-in-one": file(ENTRY) + file(detail(ENTRY="S0002"), sequence="8"),
        "deletion": file(ENTRY, detail(ACTION="D", RESULT="R")),
        "number-alone": file(detail(**nobody | {"I94_NUMBER": "00045678912"}, BIRTH_DATE="", SEX="", CITIZENSHIP="")),
        "single-name-and-part-of-a-birth": file(
            detail(**nobody | {"FAMILY_NAME": "SUHARTO"}, BIRTH_DATE="1987-05", SEX="U", CITIZENSHIP="IDN")
        ),
        "about-no-person": file(detail(**nobody), detail(ENTRY="S0002")),
        "passport-without-state": file(detail(PASSPORT_STATE="")),
        "wrong-optional-values": file(
            detail(
                **{"I94_NUMBER": "12", "BIRTH_DATE": "23.05.1987", "SEX": "W", "CITIZENSHIP": "XZZ"},
                PORT="John F. Kennedy",
                CARRIER="Iberia",
            )
        ),
        "after-its-entry": file(detail(DEPARTED="2026-03-14"), detail(ENTRY="S0002", DEPARTED="14.03.2025")),
        "no-key": file(detail(ENTRY=""), detail(ENTRY="s1"), detail(ENTRY="S0003")),
        "unknown-codes": file(detail(ACTION="X"), detail(ENTRY="S0002", RESULT=""), detail(ENTRY="S0003")),
        "moment-without-offset": file(detail(ENTERED="2025-09-01T10:00:00"), detail(ENTRY="S0002")),
        "wrong-count": file(ENTRY, trailer="T|7|2"),
        "cut-short": file(ENTRY)[:-6],
        "other-version": file(ENTRY, version="2"),
        "sequence-that-is-no-number": file(ENTRY, sequence="VII"),
        "none": file(),
        "line-ends-of-another-system": file(ENTRY).replace(b"\n", b"\r\n"),
    }
    return {f"{name}/input.dat": data for name, data in cases.items()}
