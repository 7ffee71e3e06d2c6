"""Documents of the public SEVIS batch interface, built from plain words."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO

BATCH, ORG, OTHER_ORG = "20260301000117", "SEA214F00099001", "BOS214F00099002"
COMMON = "http://www.ice.gov/xmlschema/sevisbatch/Common"


def element(name: str, content: object = "", **attributes: str) -> str:
    """An element; a mapping becomes elements inside it."""
    inside = "".join(element(key, value) for key, value in content.items()) if isinstance(content, Mapping) else content
    marks = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{marks}>{inside}</{name}>"


def upload(create: str = "", update: str = "", *, kind: str = "Student", batch: str = BATCH, spaces: str = "") -> str:
    """A document of requests for students, or for exchange visitors (`EV`)."""
    header = element("BatchHeader", {"BatchID": batch, "OrgID": ORG})
    body = header + (element(f"Create{kind}", create) if create else "")
    body += element(f"Update{kind}", update) if update else ""
    root = f"SEVISBatchCreateUpdate{kind}"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} userID="TEST123456"{spaces}>{body}</{root}>\n'


def name(last: str = "Lindqvist", first: str = "Astrid", suffix: str = "") -> dict[str, object]:
    """A full name."""
    parts: dict[str, object] = {"LastName": last, "FirstName": first, "PassportName": f"{first} {last}"[:39]}
    return {"FullName": parts | ({"Suffix": suffix} if suffix else {})}


def biography(last: str = "Lindqvist", first: str = "Astrid", **others: str) -> dict[str, object]:
    """What both documents tell of a person."""
    suffix = others.pop("Suffix", "")
    details = {
        "BirthDate": "2004-03-09",
        "Gender": "F",
        "BirthCity": "Umea",
        "BirthCountryCode": "SW",
        "CitizenshipCountryCode": "SW",
    }
    return name(last, first, suffix) | details | others


def student(request: str, *dependents: str, person: Mapping[str, object] | None = None, **others: str) -> str:
    """A student who is created."""
    education = {
        "EduLevel": {"Level": "04"},
        "MajorCode1": "27.0101",
        "IssDate": others.get("IssDate", "2026-03-01"),
        "PrgStartDate": "2026-08-20",
        "PrgEndDate": others.get("PrgEndDate", "2030-05-15"),
        "EngProficiency": {"EngRequired": "1", "RequirementsMet": "1"},
    }
    content = element("UserDefinedA", "A1")
    content += element("PersonalInfo", {**(person or biography()), "VisaType": others.get("VisaType", "01")})
    content += element("IssueReason", "I") + element("EducationalInfo", education)
    content += element("FinancialInfo", {"AcademicTerm": "09"})
    content += element("CreateDependent", "".join(dependents)) if dependents else ""
    return element("Student", content, requestID=request, userID="TEST123456", printForm="1")


def dependent(last: str = "Lindqvist", first: str = "Erik", called: str = "", **others: str) -> str:
    """A dependent who is created with a student or exchange visitor."""
    content: dict[str, object] = biography(last, first, **others) | {"Relationship": "01"}
    return element("Dependent", content | ({"UserDefinedA": called} if called else {}))


def visitor(request: str, *dependents: str, person: Mapping[str, object] | None = None) -> str:
    """An exchange visitor who is created."""
    content = element("Biographical", {**(person or biography()), "PermanentResidenceCountryCode": "SW"})
    content += element("PositionCode", "223") + element("PrgStartDate", "2026-06-01")
    content += element("PrgEndDate", "2027-05-31") + element("CategoryCode", "08")
    content += element("CreateDependent", "".join(dependents)) if dependents else ""
    return element("ExchangeVisitor", content, requestID=request, userID="TEST123456", printForm="1")


def update(request: str, sevis: str, asked: str, *, kind: str = "Student") -> str:
    """A change that is asked for."""
    tag = "Student" if kind == "Student" else "ExchangeVisitor"
    marks = {"sevisID": sevis, "requestID": request, "userID": "TEST123456", "statusCode": "ACTIVE"}
    return element(tag, element("UserDefinedA", "A1") + asked, **marks)


def applied(request: str, sevis: str = "", *inside: str, at: str = "2026-03-02T03:09:58", error: str = "") -> str:
    """What the log says of a request."""
    result = {"ErrorCode": error, "ErrorMessage": "told in words"} if error else ""
    content = element("ProcessDate", at) + element("Result", result, status="0" if error else "1") + "".join(inside)
    marks = {"sevisID": sevis} if sevis else {}
    return element("Record", content, **marks, requestID=request)


def of_dependent(sevis: str, called: str = "") -> str:
    """What the log says of a dependent who was created."""
    return element("Dependent", element("UserDefinedA", called) if called else "", dependentSevisID=sevis)


def log(
    *records: str,
    code: str = "S0000",
    system: str = "PROD",
    uploaded: str = "S0000",
    batch: str = BATCH,
    day: str = "02",
) -> str:
    """A transaction log."""
    count = element("RecordCount", {"Success": len(records), "Failure": 0, "Total": len(records)}) if records else ""
    at = f"2026-03-{day}T03:10:00"
    detail = element("Upload", "", resultCode=uploaded, dateTimeStamp=at)
    detail += element("Process", count + "".join(records), resultCode=code, dateTimeStamp=at) if code else ""
    header = element("BatchHeader", {"BatchID": batch, "OrgID": ORG})
    marks = {"status": "1", **({"system": system} if system else {})}
    return '<?xml version="1.0"?>' + element("TransactionLog", header + element("BatchDetail", detail, **marks)) + "\n"


def archive(**documents: str) -> bytes:
    """Documents in an archive, by the words before their endings."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, text in documents.items():
            packed.writestr(zipfile.ZipInfo(f"{member}.xml", (2026, 3, 2, 3, 10, 0)), text)
    return stream.getvalue()


def exchange(requests: str, *logs: str) -> bytes:
    """An archive of requests and their logs."""
    named = {f"sevis_transaction_log{place or ''}": each for place, each in enumerate(logs)}
    return archive(upload=requests, **named)


N = ("N0099000117", "N0099000118", "N0099000119", "N0099000120")
DATES = {"StartDate": "2027-06-01", "EndDate": "2028-05-31", "FullPartTimeIndicator": "01"}


def changes() -> dict[str, str]:
    """Each kind of change for students, by its request."""
    end = {"NewPrgEndDate": "2030-12-20"}
    return {
        "registration": element("Registration", {"LastSession": "0", "CurrentSessionStartDate": "2026-08-20"}),
        "extension": element("Program", element("Extension", end | {"Explanation": "thesis"}, printForm="1")),
        "no-extension": element("Program", element("CancelExtension", {"NewPrgEndDate": "2030-05-15"})),
        "shorten": element("Program", element("Shorten", {"NewPrgEndDate": "2029-12-20"}, printForm="1")),
        "sessions": element("Program", element("ManageSessionDates", {"IssDate": "2026-03-01"} | end)),
        "edit": element("Program", element("Edit", {"Level": "05"}, printForm="1")),
        "level": element("EducationLevel", element("Change", {"EducationalInfo": {"PrgEndDate": "2032-05-15"}})),
        "no-level": element("EducationLevel", element("Cancel", {"Remarks": "withdrawn"})),
        "opt": element("OPTEmployment", element("Add", DATES | {"AcademicYearMet": "1"}, printForm="1")),
        "no-opt": element("OPTEmployment", element("Cancel", DATES, printForm="1")),
        "stem": element("OPTEmployment", element("Extend", DATES | {"EndDate": "2030-05-31"}, printForm="1")),
        "opt-edit": element("OPTEmployment", element("Edit", DATES, printForm="1")),
        "cpt": element("CPTEmployment", element("Add", DATES | {"EmployerName": "Northern Lights"}, printForm="1")),
        "off-campus": element("OffCampusEmployment", element("Edit", DATES | {"NewEndDate": "2028-01-31"})),
        "completed": element("Status", element("Complete", {"Remarks": ""})),
        "withdrawal": element("Status", element("Terminate", {"Reason": "23"})),
        "violation": element("Status", element("Terminate", {"Reason": "03"})),
        "cancelled": element("Status", element("Cancel", {"Reason": "02"})),
        "verified": element("Status", element("Verify")),
        "person": element("PersonalInfo", biography("Lindqvist Berg", Gender="U"), printForm="1"),
        "reprint": element("Reprint", {"Reason": "01"}, printForm="1"),
        "below": element("AuthDropBelowFC", element("Add", {"Reason": "01"}, printForm="1")),
        "cap-gap": element("Request", element("CapGapExtension", {"Status": "F"}, printForm="1")),
    }


def visitor_changes() -> dict[str, str]:
    """Each kind of change for exchange visitors, by its request."""
    end = {"NewPrgEndDate": "2028-05-31"}
    return {
        "validate": element("Validate", {"USAddress": {"Address1": "1 Main Street"}}),
        "extension": element("Program", element("Extension", end, printForm="1")),
        "amend": element("Program", element("Amend", {"PrgStartDate": "2026-07-01", "PrgEndDate": "2027-06-30"})),
        "matriculate": element("Program", element("Matriculate", end | {"MatriculationCode": "M"})),
        "shorten": element("Program", element("Shorten", end | {"ShortenReason": "WFP", "Remarks": "done"})),
        "terminated": element("Status", element("Terminate", {"Reason": "CONVIC", "EffectiveDate": "2026-02-27"})),
        "no-show": element("Status", element("NoShow")),
        "invalid": element("Status", element("Invalid", {"Remarks": "never came"})),
        "corrected": element(
            "Status", element("CorrectInfraction", {"InfractionType": "1", "NewEndDate": "2028-01-31"})
        ),
        "corrected-open": element("Status", element("CorrectInfraction", {"InfractionType": "1", "NewEndDate": ""})),
        "site": element("SiteOfActivity", element("Delete", {"SiteName": "Library"})),
        "person": element("Biographical", {"BirthDate": "2004-03-10"}, printForm="1"),
    }


def dependents() -> dict[str, str]:
    """Each kind of change for dependents, by its request."""
    mark = {"dependentSevisID": N[2]}
    return {
        "added": element("Dependent", element("Add", biography(first="Nils", Gender="M") | {"VisaType": "04"})),
        "edited": element("Dependent", element("Edit", {"BirthDate": "2005-01-02"}, **mark)),
        "ended": element("Dependent", element("Terminate", {"Reason": "03"}, **mark)),
        "back": element("Dependent", element("Reactivate", **mark)),
        "reprinted": element("Dependent", element("Reprint", **mark)),
        "dropped": element("Dependent", element("Cancel", {"Reason": "01"}, **mark)),
    }


def asked(requests: Mapping[str, str], sevis: str, *, kind: str = "Student") -> str:
    """An update for each request."""
    return "".join(update(request, sevis, each, kind=kind) for request, each in requests.items())


def all_applied(requests: Mapping[str, str], **others: str) -> list[str]:
    """A log that applied each request, one a minute."""
    return [
        applied(request, others.get(request, ""), at=f"2026-03-02T03:{minute:02}:00")
        for minute, request in enumerate(requests)
    ]


def inputs() -> dict[str, bytes]:
    """Cases of the feed `public`, by case and file."""
    family = student("new-1", dependent(called="X1", VisaType="04"), dependent(first="Tove", VisaType="04"))
    spaces = f' xmlns:common="{COMMON}"'
    foreign = upload(student("new-1"), spaces=spaces).replace("<BatchHeader>", "<BatchHeader >")
    qualified = foreign.replace("<", "<s:").replace("<s:/", "</s:").replace("<s:?", "<?")
    qualified = qualified.replace("<s:SEVIS", "<s:SEVIS", 1).replace(
        ' userID="TEST123456"', f' xmlns:s="{COMMON}.xsd" userID="TEST123456"', 1
    )
    long = biography("Vandersteenhuyzen " * 4 + "Lindqvi", "Maximiliana " * 6 + "Astrida", Gender="U", Suffix="Jr.")
    odd = biography(Gender="Q", BirthDate="2004-02-30", CitizenshipCountryCode="ZZ")
    two = student("new-1", person=long) + student("new-2", VisaType="02", IssDate="2026-02-15")
    created = [applied("new-1", N[0], of_dependent(N[1], "X1"), of_dependent(N[2]))]
    twice = element("Program", element("Shorten", {"NewPrgEndDate": "2029-12-20"})) + element(
        "Status", element("Complete")
    )
    wrong = {
        "no-code": element("Status", element("Terminate", {"Reason": "99"})),
        "unknown": element("Astrology", {"Sign": "Leo"}),
        "twice": twice,
        "no-date": element("Program", element("Extension", {"NewPrgEndDate": "soon"})),
        "backwards": element("OPTEmployment", element("Add", DATES | {"EndDate": "2027-01-01"})),
    }
    completed = element("Status", element("Complete"))
    cases = {
        "public-created/input.zip": exchange(upload(family), log(*created)),
        "public-names/input.zip": exchange(upload(two), log(applied("new-1", N[0]), applied("new-2", N[1]))),
        "public-visitor/input.zip": exchange(
            upload(visitor("ev-1", dependent()), kind="EV"), log(applied("ev-1", N[0], of_dependent(N[1])))
        ),
        "public-changes/input.zip": exchange(upload(update=asked(changes(), N[0])), log(*all_applied(changes()))),
        "public-visitor-changes/input.zip": exchange(
            upload(update=asked(visitor_changes(), N[1], kind="EV"), kind="EV"), log(*all_applied(visitor_changes()))
        ),
        "public-dependents/input.zip": exchange(
            upload(update=asked(dependents(), N[0])), log(*all_applied(dependents(), added=N[3]))
        ),
        "public-no-log/input.xml": upload(student("new-1")).encode(),
        "public-log-alone/input.xml": log(applied("new-1", N[0])).encode(),
        "public-some-refused/input.zip": exchange(
            upload(student("new-1") + student("new-2")),
            log(applied("new-1", N[0]), applied("new-2", error="S1034"), code="S0020"),
        ),
        "public-waits/input.zip": exchange(upload(student("new-1")), log(code="S0030")),
        "public-later-log/input.zip": exchange(
            upload(student("new-1")), log(applied("new-1", N[0]), day="04"), log(code="S0030")
        ),
        "public-test-system/input.zip": exchange(upload(student("new-1")), log(applied("new-1", N[0]), system="ALPHA")),
        "public-sent-twice/input.zip": exchange(upload(student("new-1")), log(code="", uploaded="S0010")),
        "public-not-in-log/input.zip": exchange(upload(student("new-1")), log(applied("new-9", N[0]))),
        "public-qualified/input.zip": exchange(qualified, log(applied("new-1", N[0]), system="")),
        "public-odd-values/input.zip": exchange(upload(student("new-1", person=odd)), log(applied("new-1", N[0]))),
        "public-wrong/input.zip": exchange(upload(update=asked(wrong, N[0])), log(*all_applied(wrong))),
        "public-broken/input.zip": exchange(upload(student("new-1"))[:-30], log(applied("new-1", N[0]))),
        "public-two-schools-with-one-batch-number/input.zip": archive(
            one=upload(student("new-1")),
            other=upload(student("new-1")).replace(ORG, OTHER_ORG),
            log=log(applied("new-1", N[0])),
            log_of_other=log(applied("new-1", error="S1034")).replace(ORG, OTHER_ORG),
        ),
        "public-log-that-contradicts/input.zip": exchange(
            upload(update=asked({"a": completed, "b": completed}, N[0])),
            log(applied("a", N[0]), applied("a", error="S1034"), applied("b", N[1])),
        ),
        "public-doctype/input.xml": b"<!DOCTYPE a><SEVISBatchCreateUpdateEV/>",
    }
    return cases | {f"{case.partition('/')[0]}/feed": b"public\n" for case in cases}
