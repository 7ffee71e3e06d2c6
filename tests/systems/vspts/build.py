"""Batches of VSPTS-Net from plain words."""

from __future__ import annotations

from xml.sax.saxutils import escape

APPLICANT = "FamilyName GivenName BirthDate Sex Citizenship".split()
ORDER = (
    "ApplicationID Post VisaClass Applicant Passport Foil Decision ReasonGroup DecidedAt UpdatedAt Analyst Remarks"
).split()
USUAL = {
    "action": "N",
    "ApplicationID": "AA00ABC123",
    "Post": "BGT",
    "VisaClass": "B1/B2",
    "FamilyName": "GARCIA LOPEZ",
    "GivenName": "MARIA",
    "BirthDate": "1987-05-23",
    "Sex": "F",
    "Citizenship": "COL",
    "Number": "XDA123456",
    "State": "COL",
    "Decision": "RECOMMEND ISSUE",
    "DecidedAt": "2025-03-10T14:05:00Z",
    "UpdatedAt": "2025-03-10T14:06:30.250Z",
    "Analyst": "X0815",
}
REFUSED = {"Decision": "RECOMMEND REFUSE", "ReasonGroup": "SECURITY"}
LATER = {"action": "C", "DecidedAt": "2025-03-12T09:00:00Z", "UpdatedAt": "2025-03-12T09:00:01Z"}


def element(name: str, content: str) -> str:
    """Return an element around what is XML already."""
    return f"<{name}>{content}</{name}>"


def vetting(**words: str | None) -> str:
    """Return a record: the usual one but for these words; None takes one away."""
    values = {name: value for name, value in (USUAL | words).items() if value is not None}
    groups = {"Applicant": APPLICANT, "Passport": ["Number", "State"]}
    content = ""
    for name in ORDER:
        if name in groups:
            inner = "".join(element(each, escape(values[each])) for each in groups[name] if each in values)
            content += element(name, inner) if inner else ""
        elif name in values:
            content += element(name, escape(values[name]))
    return f'<Vetting action="{values["action"]}">{content}</Vetting>'


def batch(*records: str, sequence: str = "41", count: int | None = None) -> bytes:
    """Return a batch of these records."""
    header = element("BatchSequence", sequence) + element("CreatedAt", "2025-03-13T05:00:00Z")
    header += element("RecordCount", str(len(records) if count is None else count))
    lines = ['<VettingBatch xmlns="urn:visabus:vspts:1">', element("BatchHeader", header), *records, "</VettingBatch>"]
    return "".join(f"{line}\n" for line in lines).encode()


def inputs() -> dict[str, bytes]:
    """Return the input of each case, by its path."""
    groups = dict.fromkeys((*APPLICANT, "Number", "State", "Foil"))
    cases = {
        "recommended": batch(vetting()),
        "refused": batch(vetting(**REFUSED)),
        "more": batch(vetting(Decision="MORE")),
        "refusal-lifted": batch(vetting(**REFUSED), vetting(**LATER)),
        "refusal-sent-again-behind-the-later-decision": batch(vetting(**LATER), vetting(**REFUSED)),
        "refusal-then-more": batch(vetting(**REFUSED), vetting(**LATER | {"Decision": "MORE"})),
        "issued-afterwards": batch(vetting(**LATER | {"Foil": "K1234567"})),
        "deletion": batch(vetting(**LATER | {"action": "D"})),
        "every-reason-group": batch(*(
            vetting(**REFUSED | {"ReasonGroup": group, "ApplicationID": f"AA00ABC12{number}"})
            for number, group in enumerate(("CRIMINAL", "FRAUD", "OTHER", None))
        )),
        "unknown-post": batch(vetting(Post="LAX"), vetting(Post="BG")),
        "unknown-reason-group": batch(vetting(**REFUSED | {"ReasonGroup": "WEATHER"})),
        "class-that-is-none": batch(vetting(VisaClass="tourist visa")),
        "nothing-but-the-application": batch(vetting(**groups, Post=None, VisaClass=None)),
        "values-that-are-wrong": batch(
            vetting(BirthDate="23.05.1987", Sex="W", Citizenship="QQQ", Number="X", Foil="12", GivenName="")
        ),
        "times-with-offsets-and-without": batch(
            vetting(DecidedAt="2025-03-10T09:05:00-05:00", UpdatedAt="2025-03-10T15:06:30"),
            vetting(ApplicationID="AA00ABC124", DecidedAt=" 2025-03-10T14:05:00Z ", UpdatedAt="2025-03-11T00:00:00Z"),
        ),
        "decided-after-its-record": batch(vetting(DecidedAt="2025-03-12T14:05:00Z")),
        "no-such-moment": batch(vetting(DecidedAt="2025-02-30T14:05:00Z"), vetting()),
        "unknown-decision": batch(vetting(Decision="ISSUE"), vetting()),
        "application-of-another-form": batch(
            vetting(ApplicationID="BB00ABC123"), vetting(ApplicationID=None), vetting()
        ),
        "action-of-another-form": batch(vetting(action="X"), vetting()),
        "element-of-no-schema": batch(vetting().replace("<Post>", "<Office>X</Office><Post>"), vetting()),
        "remarks": batch(vetting(Remarks="See also <file> & notes")),
        "no-records": batch(),
        "wrong-count": batch(vetting(), count=2),
        "truncated": batch(vetting(), vetting(ApplicationID="AA00ABC124"))[:-60],
        "no-namespace": batch(vetting()).replace(b' xmlns="urn:visabus:vspts:1"', b""),
        "external-entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n' + batch(vetting(Post="&e;")),
        "sequence-of-nought": batch(vetting(), sequence="0"),
    }  # fmt: skip
    return {f"{name}/input.xml": data for name, data in cases.items()}
