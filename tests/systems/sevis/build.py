"""Batches of SEVIS, built from plain words, and the inputs of its cases."""

from __future__ import annotations

import bz2
import struct
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

NAMESPACE = "urn:visabus:sevis:batch:1"
Fields = dict[str, Any]

HEADER: Fields = {
    "BatchID": "20250314-000412",
    "OrgID": "ICE-SEVP",
    "BatchSequence": "412",
    "CreatedAt": "2025-03-15T04:30:00Z",
    "RecordCount": "1",
    "Coverage": {"Since": "2025-03-14T04:00:00Z", "Through": "2025-03-15T04:00:00Z"},
}
PERSON: Fields = {
    "FamilyName": "García López",
    "GivenName": "María",
    "MiddleName": "José",
    "Suffix": "Jr.",
    "PreferredName": "Pepa",
    "BirthDate": "2003-05-23",
    "Gender": "F",
    "BirthCountryCode": "ESP",
    "CitizenshipCountryCode": "ESP",
    "Email": "maria@example.org",
}
TRAVEL: Fields = {
    "PassportNumber": "PAA123456",
    "PassportIssuingCountry": "ESP",
    "I94Number": "123456789A1",
    "DateOfEntry": "2025-08-12",
}
RESULT: Fields = {"ResultCode": "S0000", "ProcessedAt": "2025-03-14T18:02:11Z", "ErrorMessage": ""}
SCHOOL: Fields = {"SchoolCode": "BOS214F00001000", "EducationLevelCode": "05", "SubjectCode": "11.0701"}
PROGRAM: Fields = {
    "IssueReason": "I",
    "IssueDate": "2025-03-14",
    "ProgramStartDate": "2025-08-20",
    "ProgramEndDate": "2029-05-15",
} | SCHOOL
PERIOD: Fields = {
    "EffectiveDate": "2025-03-14",
    "ProgramStartDate": "2021-08-20",
    "ProgramEndDate": "2025-12-20",
} | SCHOOL
PERIOD["Remarks"] = ""
WORK: Fields = {
    "StartDate": "2025-06-01",
    "EndDate": "2026-05-31",
    "FullPartTimeIndicator": "01",
    "EmployerName": "Smith & Sons",
    "Remarks": "as asked",
}
PERIODS = """
    Registration ProgramExtension ShortenProgram DeferProgram ProgramChange Transfer Reactivate
""".split()
UPDATES: dict[str, Fields] = {
    **dict.fromkeys(PERIODS, PERIOD),
    "EducationLevel": PERIOD,
    "OPTEmployment": WORK,
    "CPTEmployment": WORK,
    "OffCampusEmployment": WORK,
    "CapGapExtension": {
        "EffectiveDate": "2025-06-01",
        "Until": "2026-04-01",
        "PetitionReceipt": "WAC2519012345",
        "Remarks": "",
    },
    "Terminate": {"EffectiveDate": "2025-03-14", "Reason": "EARLY-WITHDRAWAL", "Remarks": "went home"},
    "Complete": {"EffectiveDate": "2025-05-15", "Remarks": ""},
    "PersonalInfo": {"EffectiveDate": "2025-03-14", "Person": PERSON, "TravelInfo": TRAVEL, "Remarks": ""},
    "Administrative": {"Kind": "REPRINT", "Remarks": ""},
}
STUDENT_ONLY = ("EducationLevel", "OPTEmployment", "CPTEmployment", "OffCampusEmployment", "CapGapExtension")
OF_AN_EV = {name: said for name, said in UPDATES.items() if name not in (*STUDENT_ONLY, "Terminate")} | {
    "AcademicTraining": WORK,
    "Terminate": UPDATES["Terminate"] | {"Reason": "PROGRAM-VIOLATION"},
}


def markup(name: str, said: Any, prefix: str = "", attributes: Fields | None = None) -> str:
    """An element; None leaves it out."""
    if said is None:
        return ""
    message = "".join(f" {key}={quoteattr(value)}" for key, value in (attributes or {}).items() if value is not None)
    inside = "".join(markup(*each, prefix) for each in said.items()) if isinstance(said, dict) else escape(said)
    return f"<{prefix}{name}{message}>{inside}</{prefix}{name}>"


def attributes(visa: str, changes: Fields) -> Fields:
    """Those of a request."""
    plain = {"sevisID": "N0012345678", "requestID": "A100", "recordAction": "N", "visaType": visa}
    return plain | {"userID": "dso1", "printForm": "true"} | changes


def create(
    kind: str = "CreateStudent",
    visa: str = "F1",
    *,
    person: Fields | None = None,
    travel: Fields | str | None = None,
    program: Fields | None = None,
    result: Fields | None = None,
    prefix: str = "",
    **changes: Any,
) -> str:
    """A record of somebody new."""
    said = {
        "PersonalInfo": PERSON | (person or {}),
        "TravelInfo": travel if isinstance(travel, str) else TRAVEL | (travel or {}),
        "ProgramInfo": PROGRAM | (program or {}),
        "Remarks": "",
        "Result": RESULT | (result or {}),
    }
    return markup(kind, said, prefix, attributes(visa, changes))


def update(
    what: str,
    said: Fields | None = None,
    *,
    kind: str = "UpdateStudent",
    visa: str = "F1",
    result: Fields | None = None,
    prefix: str = "",
    **changes: Any,
) -> str:
    """A record of something that happened."""
    known = (UPDATES if kind == "UpdateStudent" else OF_AN_EV)[what]
    body = {what: known | (said or {}), "Result": RESULT | (result or {})}
    return markup(kind, body, prefix, attributes(visa, changes))


def header(count: int = 1, prefix: str = "", **changes: Any) -> str:
    """The header."""
    return markup("BatchHeader", HEADER | {"RecordCount": str(count)} | changes, prefix)


def batch(records: Iterable[str], prefix: str = "", between: str = "\n", **changes: Any) -> str:
    """A whole document, without a declaration."""
    known = list(records)
    colon = f":{prefix.rstrip(':')}" if prefix else ""
    parts = [
        f'<{prefix}SEVISBatch xmlns{colon}="{NAMESPACE}">',
        header(len(known), prefix, **changes),
        *known,
        f"</{prefix}SEVISBatch>",
    ]
    return between.join(parts) + "\n"


def declared(text: str, encoding: str, codec: str | None = None) -> bytes:
    """The document in an encoding that it declares."""
    return (f'<?xml version="1.0" encoding="{encoding}"?>\n' + text).encode(codec or encoding)


def archive(members: dict[str, bytes], method: int = ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """A zip of these, alike in all runs."""
    held = BytesIO()
    with ZipFile(held, "w", method) as written:
        written.comment = comment
        for name, data in members.items():
            info = ZipInfo(name, (2025, 3, 15, 4, 30, 0))
            info.compress_type = method
            info.create_system = 3
            written.writestr(info, data)
    return held.getvalue()


def stored(name: str, data: bytes, **changes: int) -> bytes:
    """A zip of one member whose headers say something else than is so."""
    raw = bytearray(archive({name: data}))
    central = raw.index(b"PK\x01\x02")
    places = {"flags": (6, 8, "<H"), "method": (8, 10, "<H"), "crc": (14, 16, "<I"), "size": (22, 24, "<I")}
    for key, value in changes.items():
        local, at, form = places[key]
        struct.pack_into(form, raw, local, value)
        struct.pack_into(form, raw, central + at, value)
    return bytes(raw)


def several(count: int, **changes: Any) -> list[str]:
    """Registrations of different people."""
    return [update("Registration", sevisID=f"N00000000{n:02}", requestID=f"R{n}", **changes) for n in range(count)]


def sevis() -> dict[str, bytes]:
    """Name of the case (with what its file ends in) to bytes of the file."""
    return odd() | bad() | archives()


def odd() -> dict[str, bytes]:
    """Rare and right."""
    one, whole = update("ProgramExtension"), batch([create()])
    marked = whole.replace("<Gender>", "<!-- a <b> --><?dso 1?><Gender>").replace("</Gender>", "<!-- c --></Gender>")
    long = ["Å" * 39, "O'Brien-Núñez y Ångström d'Él"]
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    texts = {
        "create-student": whole,
        "create-exchange-visitor": batch([create("CreateEV", "J1")]),
        "dependents": batch([
            create("CreateEV", "J2", sevisID="N0099999999", travel={"I94Number": None}),
            create("CreateStudent", "M2", program={"IssueReason": "D"}, requestID="A101"),
        ]),
        "updates-of-a-student": batch(update(name, requestID=f"U{n}") for n, name in enumerate(UPDATES)),
        "updates-of-an-exchange-visitor": batch(
            update(name, kind="UpdateEV", visa="J1", requestID=f"E{n}") for n, name in enumerate(OF_AN_EV)
        ),
        "terminations": batch(
            update("Terminate", {"Reason": reason}, requestID=reason[:20])
            for reason in ("EARLY-WITHDRAWAL", "UNAUTHORIZED-EMPLOYMENT", "NO-SHOW", "CHANGE-OF-STATUS", "DEATH")
        ),
        "correction": batch([update("ProgramExtension", {"ProgramEndDate": "2026-05-15"}, recordAction="C")]),
        "deletion": batch([update("Terminate", recordAction="D")]),
        "rejected-by-sevis": batch([update("Terminate", result={"ResultCode": "S1022", "ErrorMessage": "no record"})]),
        "prefixed": batch([create(prefix="s:")], "s:"),
        "two-prefixes": batch([update("Complete", prefix="t:")]).replace(
            'xmlns="', f'xmlns:t="{NAMESPACE}" xmlns="', 1
        ),
        "namespace-on-the-record": batch([
            update("Complete", prefix="z:").replace("<z:UpdateStudent", f'<z:UpdateStudent xmlns:z="{NAMESPACE}"', 1)
        ]),
        "namespace-said-again": batch([one.replace("<ProgramExtension", f'<ProgramExtension xmlns="{NAMESPACE}"', 1)]),
        "comments": "<!-- a batch -->" + marked + "<!-- that was it -->\n",
        "comment-inside-a-value": whole.replace("García López", "García<!-- two names --> López"),
        "processing-instructions": '<?xml-stylesheet href="x.css"?>'
        + marked.replace("</BatchHeader>", "</BatchHeader><?a b?>"),
        "cdata": whole.replace("García López", "<![CDATA[García]]> <![CDATA[López]]>").replace(
            "maria@example.org", "<![CDATA[<&>]]>"
        ),
        "character-references": whole.replace("García", "Garc&#237;a").replace("ó", "&#xF3;"),
        "predefined-entities": batch([create(person={"FamilyName": "O'B & <C> \"D\""})]).replace("'", "&apos;"),
        "empty-optional-elements": batch([
            create(
                person=dict.fromkeys(PERSON, "") | {"FamilyName": "Suparman"},
                travel=dict.fromkeys(TRAVEL, ""),
                program=dict.fromkeys(SCHOOL, ""),
            )
        ]),
        "optional-elements-left-out": batch([
            create(
                person=dict.fromkeys(PERSON) | {"FamilyName": "Suparman"},
                travel=dict.fromkeys(TRAVEL),
                program=dict.fromkeys(SCHOOL),
                userID=None,
                printForm=None,
            )
        ]),
        "empty-travel": batch([
            create(travel=""), create(requestID="A101").replace("<Remarks></Remarks>", "<Remarks/>")
        ]),
        "another-order": batch([
            create().replace(markup("Gender", "F"), "").replace("<FamilyName>", "<Gender>F</Gender><FamilyName>")
        ]),
        "blanks-around-values": whole.replace(">2029-05-15<", ">\n\t 2029-05-15 <").replace(
            "García López", "\n García \t\n López "
        ).replace('"A100"', '" A100 "'),
        "one-line": batch([create(), update("Complete", requestID="A101")], between=""),
        "carriage-returns": whole.replace("\n", "\r\n").replace("<Gender>", "\r\n<Gender>"),
        "quotes-of-both-kinds": whole.replace('sevisID="N0012345678"', "sevisID='N0012345678'"),
        "blanks-in-tags": whole.replace("</Gender>", "</Gender\n >").replace('<CreateStudent ', '<CreateStudent\n\t'),
        "apostrophes-and-thirty-nine": batch(
            create(person={"FamilyName": name}, requestID=str(len(name))) for name in long
        ),
        "other-scripts": batch([create(person={"FamilyName": "李", "GivenName": "𠮷野 Νίκος", "MiddleName": ""})]),
        "partial-births": batch([
            create(person={"BirthDate": birth}, requestID=f"B{birth}") for birth in ("2003", "2003-05", "2004-02-29")
        ]),
        "moments-with-offsets": batch(
            [update("Complete", result={"ProcessedAt": "2025-03-14T14:02:11.5-04:00"})],
            CreatedAt="2025-03-15T00:30:00-04:00",
        ),
        "no-coverage": batch([one], Coverage=None),
        "no-records": batch([]),
        "schema-location": whole.replace(
            "xmlns=", f'{xsi} xsi:schemaLocation="{NAMESPACE} file:///etc/passwd" version="7" xml:lang="es" xmlns=', 1
        ),
        "type-said": whole.replace("xmlns=", f"{xsi} xmlns=", 1).replace(
            "<TravelInfo>", '<TravelInfo xsi:type="TravelType">'
        ),
        "no-newline-at-the-end": whole.rstrip(),
        "blanks-between-records": batch(several(3), between="\n" * 500 + "\t"),
        "the-period-of-a-day": batch([
            update("OPTEmployment", {"EndDate": "2025-06-01"}),
            update("CapGapExtension", {"Until": "2025-10-01"}, requestID="A101"),
        ]),
    }  # fmt: skip
    results = {f"{name}.xml": text.encode() for name, text in texts.items()}
    return results | {
        "utf-8-declared.xml": declared(whole, "UTF-8"),
        "utf-8-mark.xml": b"\xef\xbb\xbf" + declared(whole, "utf-8"),
        "utf-16-little.xml": b"\xff\xfe" + declared(whole, "UTF-16", "utf-16-le"),
        "utf-16-big.xml": b"\xfe\xff" + declared(whole, "UTF-16", "utf-16-be"),
        "utf-16-undeclared.xml": b"\xff\xfe" + whole.encode("utf-16-le"),
        "iso-8859-1.xml": declared(whole, "ISO-8859-1"),
        "us-ascii.xml": declared(batch([create(person={"FamilyName": "GARCIA"})]), "US-ASCII", "latin-1").replace(
            b"\xed", b"&#237;").replace(b"\xe9", b"&#xe9;"),
        "standalone.xml": b"<?xml version='1.0' encoding='utf-8' standalone='yes' ?>" + whole.encode(),
    }  # fmt: skip


def bad() -> dict[str, bytes]:
    """What is refused, and what stands beside it."""
    one, done, whole = update("ProgramExtension"), update("Complete"), batch(several(3))
    times = {"Since": "2025-03-15T04:00:00Z", "Through": "2025-03-14T04:00:00Z"}
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

    def with_dtd(subset: str, text: str) -> str:
        return f"<!DOCTYPE SEVISBatch [{subset}]>\n" + batch([create(person={"FamilyName": "X"})]).replace(
            ">X<", f">{text}<"
        )

    wrong = [
        update("ProgramExtension", {"ProgramEndDate": "2025-02-30"}),
        update("ProgramExtension", {"ProgramEndDate": ""}),
        update("ProgramExtension", {"ProgramEndDate": "20251220"}),
        update("ProgramExtension", {"ProgramEndDate": None}),
        update("ProgramExtension", {"ProgramEndDate": "2025-12-20Z"}),
        update("ProgramExtension", {"SchoolCode": "bos'; DROP"}),
        update("Terminate", {"Reason": "SOMETHING"}),
        update("Terminate", {"Reason": "CONVICTION"}),
        update("Complete", sevisID="N001234567"),
        update("Complete", requestID=""),
        update("Complete", recordAction="X"),
        update("Complete", recordAction=None),
        update("Complete", visaType="J1"),
        update("Complete", colour="red"),
        update("Complete", result={"ResultCode": "0"}),
        update("Complete", result={"ProcessedAt": "2025-03-14T18:02:11"}),
        update("Complete").replace("</Complete>", "</Complete><Complete/>"),
        create(person={"FamilyName": "A" * 40}),
        create(person={"FamilyName": " "}),
        create(person={"Gender": "W"}),
        create(person={"BirthDate": "2003-00-00"}),
        create(travel={"I94Number": "12345"}),
        create().replace("</PersonalInfo>", "<Nickname>Pepa</Nickname></PersonalInfo>"),
        create().replace("<Gender>", "<Gender>F</Gender><Gender>"),
        create().replace("<Gender>F", "F<Gender>"),
        "<UpdateStudent/>",
        update("AcademicTraining", kind="UpdateEV", visa="J1").replace("UpdateEV", "UpdateStudent").replace("J1", "F1"),
    ]
    texts = {
        "external-entity": with_dtd('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
        "external-parameter-entity": with_dtd('<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;', "X"),
        "external-dtd": '<!DOCTYPE SEVISBatch SYSTEM "http://127.0.0.1:9/batch.dtd">\n' + batch([one]),
        "billion-laughs": with_dtd('<!ENTITY l0 "ha">' + laughs, "&l9;"),
        "declaration-of-a-type": "<!DOCTYPE SEVISBatch>\n" + batch([one]),
        "entity-that-is-none": batch([*several(2), one.replace("2025-12-20", "&later;"), update("Complete")]),
        "wrong-in-the-middle": batch([*several(2), one.replace("<ProgramEndDate", "<<ProgramEndDate"), done]),
        "wrong-behind-a-record": whole.replace("</UpdateStudent>\n</SEVIS", "</UpdateStudent><1></SEVIS"),
        "tags-crossed": batch([*several(1), one.replace("</ProgramExtension></", "</Result></"), update("Complete")]),
        "truncated": whole[:-700],
        "ends-between-records": whole.removesuffix("</SEVISBatch>\n"),
        "behind-the-end": whole + "<more/>",
        "not-as-the-schema": batch([*wrong, one]),
        "no-such-record": batch([
            "<DeleteStudent/>", batch([one]).strip(), "<x:y xmlns:x='urn:x'/>", "<BatchHeaders/>", one
        ]),
        "another-namespace": batch([one.replace("<UpdateStudent", '<UpdateStudent xmlns="urn:x"'), update("Complete")]),
        "prefix-not-declared": batch([one.replace("UpdateStudent", "q:UpdateStudent"), update("Complete")]),
        "text-between-records": batch([one, "and then", update("Complete", requestID="A101")]),
        "text-behind-the-records": batch([one, "that is all"]),
        "no-header": batch([one]).replace(header(1), ""),
        "header-not-as-the-schema": batch([one], BatchSequence="0"),
        "header-late": batch([one]).replace(header(1), "").replace("</SEVISBatch>", header(1) + "</SEVISBatch>"),
        "two-headers": batch([header(1), one]),
        "coverage-backwards": batch([one], Coverage=times),
        "coverage-at-no-moment": batch([one], CreatedAt="2025-03-15T24:00:00Z"),
        "wrong-count": batch([one]).replace("<RecordCount>1", "<RecordCount>2"),
        "another-root": batch([one]).replace("SEVISBatch", "SEVISBatchCreateUpdateStudent"),
        "no-namespace": batch([one]).replace(f' xmlns="{NAMESPACE}"', ""),
        "xml-1-1": '<?xml version="1.1"?>' + batch([one]),
        "no-such-country": batch([create(person={"CitizenshipCountryCode": "QQQ"}), update("Complete")]),
        "codes-of-fips": batch([
            create(
                person={"CitizenshipCountryCode": code},
                travel={"PassportIssuingCountry": code},
                sevisID=f"N00123456{number:02}",
            )
            for number, code in enumerate(("AS", "AU", "CH", "GM", "RS", "UR", "US", "U5", "ZZ"))
        ]),
        "passport-without-country": batch([create(travel={"PassportIssuingCountry": ""}), update("Complete")]),
        "ends-before-it-begins": batch([
            update("OPTEmployment", {"EndDate": "2025-05-31"}), update("CapGapExtension", {"Until": "2025-05-31"})
        ]),
        "year-nought": batch([update("ProgramExtension", {"ProgramEndDate": "0000-01-01"}), update("Complete")]),
        "control-character": batch([*several(1), create(person={"FamilyName": "A\x01B"})]),
        "reference-to-no-character": batch([
            *several(1), create(person={"FamilyName": "AB"}).replace(">AB<", ">A&#1;B<")
        ]),
    }  # fmt: skip
    results = {f"{name}.xml": text.encode() for name, text in texts.items()}
    return results | {
        "empty-file.xml": b"",
        "no-xml.xml": b"Dear Sir or Madam,\n",
        "declared-utf-8-and-is-not.xml": declared(batch([*several(1), create()]), "UTF-8", "latin-1"),
        "declared-utf-16-and-is-not.xml": declared(batch([one]), "UTF-16", "utf-8"),
        "other-encoding.xml": declared(batch([create()]), "windows-1252"),
        "no-such-encoding.xml": declared(batch([one]), "klingon", "utf-8"),
        "no-such-encoding-in-utf-16.xml": b"\xff\xfe" + declared(batch([one]), "UTF-06", "utf-16-le"),
        "utf-16-cut-in-half.xml": (b"\xff\xfe" + batch([one]).encode("utf-16-le"))[:-31],
        "utf-16-half-a-pair.xml": b"\xff\xfe"
        + batch([create(person={"FamilyName": "A?B"}), one]).encode("utf-16-le").replace(b"?\0", b"\0\xd8"),
    }


def archives() -> dict[str, bytes]:
    """Zips, right and wrong."""
    first = batch(several(2)).encode()
    second = batch([create()], BatchSequence="413").encode()
    broken = batch([update("Complete", colour="red")]).encode()
    bomb = (b"<a>" + b" " * (20 * 2**20)) + b"</a>"
    plain = archive({"a.xml": first}, ZIP_STORED)
    two = archive({"a.xml": first, "b.xml": second})
    return {
        "zip.zip": archive({"student.xml": second}),
        "zip-of-several.zip": archive({"z/students.xml": first, "a/more.xml": second}),
        "zip-stored.zip": plain,
        "zip-with-folders.zip": archive(
            {"in/": b"", "in/Añadido – 1.xml": first, "in/b\tc.xml": second}, comment=b"a night"
        ),
        "zip-behind-other-bytes.zip": b"PK\0\0" + b"-" * 60 + two,
        "zip-one-member-refused.zip": archive({"a.xml": first, "b.xml": broken, "c.xml": second}),
        "zip-member-without-a-name.zip": nameless(first),
        "zip-of-no-xml.zip": archive({"readme.txt": b"two batches are missing\n", "b.xml": second}),
        "zip-truncated.zip": two[:-300],
        "zip-without-its-begin.zip": b"PK" + two[40:],
        "zip-damaged.zip": plain.replace(b"2025-12-20", b"2025-12-21", 1),
        "zip-damaged-inside.zip": two[:200] + bytes(20) + two[220:],
        "zip-encrypted.zip": stored("a.xml", first, flags=1),
        "zip-by-another-method.zip": archive({"a.xml": first}, ZIP_BZIP2),
        "zip-method-that-is-not-so.zip": stored("a.xml", first, method=0),
        "zip-size-that-is-not-so.zip": stored("a.xml", first, size=100),
        "zip-checksum-that-is-not-so.zip": stored("a.xml", first, crc=1),
        "zip-empty.zip": archive({}),
        "zip-of-a-zip.zip": archive({"inner.zip": archive({"a.xml": first}), "b.xml": second}),
        "zip-bomb.zip": archive({"a.xml": bomb, "b.xml": second}),
        "zip-bomb-that-lies.zip": stored("a.xml", bomb, size=2**20),
        "zip-of-too-many.zip": archive({f"{n}.xml": b"" for n in range(1001)}, ZIP_STORED),
        "zip-members-overlap.zip": overlapping(first),
        "no-zip-though-it-begins-so.zip": b"PK\x03\x04 and so on",
        "bzip2.xml": bz2.compress(first),
    }  # fmt: skip


def nameless(data: bytes) -> bytes:
    """The only letter of the member's name counts as something else."""
    raw = bytearray(archive({"a": data}))
    for at in (26, raw.index(b"PK\x01\x02") + 28):
        struct.pack_into("<HH", raw, at, 0, 1)
    return bytes(raw)


def overlapping(data: bytes) -> bytes:
    """One stored member that the directory names three times."""
    raw = archive({"a.xml": data}, ZIP_STORED)
    at, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entry = raw[at:end]
    tail = bytearray(raw[end:])
    struct.pack_into("<HHI", tail, 8, 3, 3, 3 * len(entry))
    return raw[:at] + entry * 3 + bytes(tail)


def nothing_said() -> bytes:
    """An element that is nil, which this XSD does not let be nil, and a date of birth with the zone of its sender."""
    whole = batch([create()])
    whole = whole.replace("<SEVISBatch ", '<SEVISBatch xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ')
    whole = whole.replace("<GivenName>", "<GivenName xsi:nil='true'>", 1)
    return whole.replace("</BirthDate>", "-05:00</BirthDate>", 1).encode()


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    named = {f"{name.rpartition('.')[0]}/input.{name.rpartition('.')[2]}": data for name, data in sevis().items()}
    return named | {"nil-and-zone/input.xml": nothing_said()}
