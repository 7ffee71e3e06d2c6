"""Answers of SAVE, built from plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

SPACE = "urn:visabus:save:1"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
Document = tuple[str, dict[str, Any]]
I94: Document = ("I94DocumentID", {"I94Number": "990990001A1", "SEVISID": "0099000117"})
PASSPORT = {"PassportNumber": "A09900117", "CountryOfIssuance": "NGA"}
I551: Document = ("I551DocumentID", {"AlienNumber": "099000117", "ReceiptNumber": "EAC9909900117"})
UNEXPIRED: Document = (
    "I94UnexpForeignPassportDocumentID",
    {
        "I94Number": "990990001A1",
        "VisaNumber": "K9909001",
        "PassportNumber": "A09900117",
        "CountryOfIssuance": "NGA",
        "SEVISID": "0099000117",
        "DocExpirationDate": "2028-03-01",
    },
)
ANSWER: dict[str, str | None] = {
    "CaseNumber": "6000099000117ZZ",
    "NonCitLastName": "OKAFORIN",
    "NonCitFirstName": "MILES",
    "NonCitMiddleName": "TERENCE",
    "NonCitBirthDate": "1988-04-12",
    "NonCitEntryDate": "2025-08-20",
    "AdmittedToDate": None,
    "AdmittedToText": "D/S",
    "NonCitCountryBirthCd": "NIGIA",
    "NonCitCountryCitCd": "NIGIA",
    "NonCitCoaCode": "F1",
    "NonCitProvOfLaw": None,
    "NonCitEadsExpireDate": None,
    "EligStatementCd": "23",
    "EligStatementTxt": "STUDENT STATUS TEMPORARY AUTHORIZED",
    "IAVTypeCode": None,
    "WebServSftwrVer": "37",
    "GrantDate": None,
    "AgencyAction": "SAVE has verified",
    "FiveYearBarApplyCode": "X",
    "QualifiedNonCitizenCode": "N",
    "FiveYearBarMetCode": "X",
    "USCitizenCode": "N",
}


def texts(values: Mapping[str, Any]) -> str:
    """Elements, in this order, of those that are there; a mapping is an element around others."""
    parts = []
    for name, value in values.items():
        if value is not None:
            content = texts(value) if isinstance(value, Mapping) else escape(str(value))
            parts.append(f"<{name}>{content}</{name}>")
    return "".join(parts)


def verification(
    key: str = "V000117",
    *,
    head: dict[str, Any] | None = None,
    document: Document | None = I94,
    code: str = "HS000000",
    text: str = "Successful.",
    verified: str = "Y",
    answer: dict[str, Any] | None = None,
    whole: bool = True,
) -> str:
    """A verification, in one line."""
    known = {"verificationId": key, "version": "1", "changedAt": "2026-03-02T15:10:00Z", "action": "N", "step": "1"}
    said = "".join(f" {name}={quoteattr(value)}" for name, value in (known | (head or {})).items() if value is not None)
    identity = "" if document is None else texts({document[0]: document[1]})
    response = texts(
        {
            "ResponseMetadata": {"ResponseCode": code, "ResponseDescriptionText": text},
            "LawfulPresenceVerifiedCode": verified,
            "InitialVerificationIndividualResponseSet": ANSWER | (answer or {}) if whole else None,
        }
    )
    around = f"<InitialVerificationIndividualResponse>{response}</InitialVerificationIndividualResponse>"
    return f"<Verification{said}><DHSID>{identity}</DHSID>{around}</Verification>"


def message(*verifications: str, more: str = ' asOf="2026-03-03T04:00:00Z"') -> bytes:
    """What stands in the body of an envelope."""
    lines = "".join(f"  {each}\n" for each in verifications)
    return f'<GetVerificationsResponse xmlns="{SPACE}"{more}>\n{lines}</GetVerificationsResponse>\n'.encode()


def answers(*changes: dict[str, Any], **more: Any) -> bytes:
    """One verification for each, numbered, with these changes to the answer."""
    return message(*(verification(f"V{number}", answer=each, **more) for number, each in enumerate(changes, 1)))


DOCUMENTS: tuple[Document, ...] = (
    ("I327DocumentID", {"AlienNumber": "099000117"}),
    I551,
    ("I571DocumentID", {"AlienNumber": "099000117", "DocExpirationDate": "2027-01-01"}),
    ("I766DocumentID", I551[1] | {"ReceiptNumber": "SRC9909900117", "DocExpirationDate": "2027-01-01"}),
    ("CertOfCitDocumentID", {"AlienNumber": "099000117", "CitizenshipNumber": "AA9900117"}),
    ("NatrOfCertDocumentID", {"NaturalizationNumber": "99900117"}),
    ("MacReadI551DocumentID", {"AlienNumber": "099000117"} | PASSPORT),
    ("TempI551DocumentID", {"AlienNumber": "099000117", "PassportCountry": PASSPORT}),
    I94,
    UNEXPIRED,
    ("UnexpForeignPassportDocumentID", PASSPORT | {"DocExpirationDate": "2027-01-01"}),
    ("I20DocumentID", {"SEVISID": "0099000117"}),
    ("DS2019DocumentID", {"I94Number": "99099000111", "SEVISID": "0099000118"}),
    ("OtherCase1DocumentID", {"AlienNumber": "099000117", "DocDescReq": "I-797"}),
    ("OtherCase2DocumentID", {"I94Number": "990990001a1", "DocDescReq": "I-797"}),
)
DUPLICATE = "This is a duplicate case, see 6000099000116ZY at Exchange One v37"


def findings() -> dict[str, bytes]:
    """What verifications find."""
    statements = (
        ("5", "INSTITUTE ADDITIONAL VERIFICATION"),
        ("5", "Something else"),
        ("05", "Institute additional verification"),
        ("10", "TEMPORARY EMPLOYMENT AUTHORIZED"),
        ("77", "NON-IMMIGRANT"),
    )
    return {
        "found": message(verification()),
        "documents": message(*(verification(f"V{number}", document=each) for number, each in enumerate(DOCUMENTS, 1))),
        "statements": answers(*({"EligStatementCd": code, "EligStatementTxt": text} for code, text in statements)),
        "steps": message(
            verification(answer={"EligStatementCd": "5", "EligStatementTxt": "INSTITUTE ADDITIONAL VERIFICATION"}),
            verification(
                head={"version": "2", "changedAt": "2026-03-06T15:10:00Z", "step": "2", "action": "C"},
                answer={"CaseNumber": "6000099000118AA"},
            ),
            verification(head={"version": "3", "changedAt": "2026-03-08T15:10:00Z", "action": "D"}),
        ),
        "verified-or-not": message(
            *(verification(f"V{number}", verified=each) for number, each in enumerate("YNPXynpx", 1))
        ),
        "duplicates": message(
            verification("V1", code="HE004000", text=DUPLICATE, verified="P", whole=False),
            verification("V2", code="HE004000", text="This is a duplicate case", verified="P", whole=False),
            verification("V3", code="HX005000", text="Later, please", verified="P", whole=False),
            verification("V4", whole=False),
        ),
        "until": answers(
            {"AdmittedToDate": "2026-11-30", "AdmittedToText": None},
            {"AdmittedToDate": "2026-11-30", "AdmittedToText": "11/30/2026"},
            {"AdmittedToDate": "2026-11-30", "AdmittedToText": "D/S"},
            {"AdmittedToText": "11/30/2026"},
            {"AdmittedToText": "2026-11-30"},
            {"AdmittedToText": "d/s"},
            {"AdmittedToText": "INDEFINITE"},
            {"AdmittedToText": "02/30/2026"},
            {"AdmittedToDate": "30.11.2026", "AdmittedToText": None},
            {"AdmittedToText": None},
        ),
        "work-permits": answers(
            {"NonCitProvOfLaw": "C09", "NonCitEadsExpireDate": "2027-02-01"},
            {"NonCitEadsExpireDate": "2027-02-01"},
            {"NonCitProvOfLaw": "A02"},
            {"NonCitProvOfLaw": "C03BC", "NonCitEadsExpireDate": "next year"},
        ),
        "confidential": answers(
            {"NonCitProvOfLaw": "A05", "NonCitEadsExpireDate": "2027-02-01"},
            {"NonCitProvOfLaw": "c08"},
            {"NonCitProvOfLaw": "C19"},
            {"NonCitProvOfLaw": "C31"},
            {"NonCitProvOfLaw": "A20"},
            {"NonCitCoaCode": "U1"},
            {"NonCitCoaCode": "T6"},
            {"NonCitCoaCode": "AS"},
            {"EligStatementTxt": "REFUGEE / ASYLEE - EMPLOYMENT AUTHORIZED"},
            {"EligStatementTxt": "TEMPORARY PROTECTED STATUS - EMPLOYMENT AUTHORIZED", "NonCitCoaCode": "AS"},
            {"EligStatementTxt": "CUBAN/HAITIAN ENTRANT"},
        ),
    }


def odd() -> dict[str, bytes]:
    """What is rare and right, and what is wrong."""
    whole = message(verification())
    countries = ("RALIA", "STRIA", "NIGE", "UK", "DR", "GERMA", "STATE", "NGA", "XXXXX", "NIGERIA")
    more = "<ArrayOfErrorResponseMetadata><Any>x</Any></ArrayOfErrorResponseMetadata>"
    return {
        "in-an-envelope": b'<s:Envelope xmlns:s="%s"><s:Body>%s</s:Body></s:Envelope>' % (SOAP_12.encode(), whole),
        "countries": answers(*({"NonCitCountryCitCd": each} for each in countries)),
        "numbers-that-are-wrong": message(
            verification("V1", document=("I327DocumentID", {"AlienNumber": "A09900117"})),
            verification("V2", document=("I94DocumentID", {"I94Number": "123", "SEVISID": "N0099000117"})),
            verification("V3", document=(UNEXPIRED[0], UNEXPIRED[1] | {"CountryOfIssuance": "NIGIA"})),
            verification("V4", document=("I551DocumentID", I551[1] | {"ReceiptNumber": "EAC99"})),
            verification("V5", document=(UNEXPIRED[0], UNEXPIRED[1] | {"PassportNumber": "A1", "VisaNumber": "K9"})),
        ),
        "names-and-births": answers(
            {"NonCitLastName": None},
            {"NonCitFirstName": None, "NonCitMiddleName": None},
            {"NonCitLastName": "A" * 41},
            {"NonCitFirstName": "B" * 26, "NonCitBirthDate": "12 April 1988"},
            dict.fromkeys(("NonCitLastName", "NonCitFirstName", "NonCitMiddleName"))
            | {"NonCitBirthDate": "2026-12-24"},
            {"NonCitCoaCode": "F-1A"},
            {"NonCitCoaCode": "f1"},
            {"EligStatementTxt": "S" * 65},
        ),
        "nobody": message(
            verification(
                document=("NatrOfCertDocumentID", {"NaturalizationNumber": "99900117"}),
                answer=dict.fromkeys(("NonCitLastName", "NonCitFirstName", "NonCitMiddleName")),
            )
        ),
        "what-is-ignored": message(
            verification(
                head={"agency": "DMV"},
                answer={
                    "NonCitCountryBirthCd": "KENYA",
                    "NonCitEntryDate": "2025-08-21",
                    "IAVTypeCode": "IAV1",
                    "GrantDate": "2020-01-01",
                    "AgencyAction": "None",
                },
            ).replace("</ResponseMetadata>", f"</ResponseMetadata>{more}")
        ),
        "not-by-the-schema": message(
            verification("V1", code="HS0"),
            verification("V2", verified="Q"),
            verification("V3", answer={"EligStatementCd": "five"}),
            verification("V4", answer={"CaseNumber": None}),
            verification("V5", document=None),
            verification("V6", document=("I20DocumentID", {"SEVISID": "0099000117", "Strange": "x"})),
            verification("V7", head={"version": "first"}),
            verification("V8"),
        ),
        "padded": message(
            verification(
                head={"version": " 1 ", "changedAt": " 2026-03-02T15:10:00Z "},
                answer={"NonCitBirthDate": " 1988-04-12 "},
            )
        ),
        "empty": message(),
        "more-pages-follow": message(verification(), more=' nextPage="2026-03-02T15:10:00Z V000117"'),
        "truncated": whole[:-300],
        "other-root": whole.replace(b"GetVerificationsResponse", b"GetCasesResponse"),
        "not-answered": b'<s:Envelope xmlns:s="%s"><s:Body/></s:Envelope>' % SOAP_12.encode(),
    }


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    return {f"{name}/input.xml": data for name, data in {**findings(), **odd()}.items()}
