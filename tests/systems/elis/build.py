"""Answers of ELIS built from plain words, in the nested shape of the public Case Status API."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
IOE, EAC = "IOE9099000117", "EAC9999103402"
RECEIVED, APPROVED, DENIED = "Case Was Received", "Case Was Approved", "Case Was Denied"
DETAILS: Json = {
    "aNumber": "A099000117",
    "i94Number": "123456789A1",
    "lastName": "MARLOWE",
    "firstName": "IRENE",
    "middleName": "ROSE",
    "dateOfBirth": "1987-05-23",
    "gender": "Female",
    "countryOfCitizenship": "SPAIN",
    "passportNumber": "XDA123456",
    "passportCountry": "SPAIN",
    "receivedDate": "2025-08-20",
    "currentClass": "B2",
    "requestedUntil": "2026-03-13",
}
GRANTED: Json = {
    "decisionDate": "2025-11-02",
    "grantedClass": "B2",
    "grantedUntil": "2026-03-13",
    "validFrom": "2025-09-14",
    "newI94Number": "987654321B2",
}


def case(receipt: str = IOE, text: str = RECEIVED, form: str = "I539", **more: Any) -> Json:
    """The case as the public API has it; of a receipt IOE without its dates."""
    texts = {"current_case_status_text_en": text, "current_case_status_desc_en": "We received your form."}
    texts |= {"current_case_status_text_es": "Caso recibido", "current_case_status_desc_es": "Recibimos ..."}
    return {"receiptNumber": receipt, "formType": form, **texts, "hist_case_status": None} | more


def step(date: Any, text: Any) -> Json:
    """An entry of the history."""
    return {"date": date, "completed_text_en": text, "completed_text_es": "..."}


def answer(of: Json, details: Json | None = None, number: int = 1, **listed: Any) -> Json:
    """An answer with the entry that it was asked for."""
    body: Json = {"case_status": of, "message": "Query was successful."}
    if details is not None:
        body["details"] = details
    entry = {"receiptNumber": of["receiptNumber"], "changeNumber": number, "changedAt": "2025-11-20T15:03:11Z"}
    return {"listed": entry | listed, "status": 200, "answer": body}


def failed(status: int, body: Any = None, receipt: Any = IOE) -> Json:
    """An answer that has no case."""
    entry = {"receiptNumber": receipt, "changeNumber": 1, "changedAt": "2025-11-20T15:03:11Z"}
    return {"listed": entry, "status": status, "answer": body}


def page(*answers: Json, **more: Any) -> bytes:
    """A page of answers."""
    return (json.dumps({"answers": answers} | more, indent=1, ensure_ascii=False) + "\n").encode()


DATED = {"submittedDate": "09-05-2023 14:28:46", "modifiedDate": "10-17-2023 09:11:02"}
STEPS = [step("2023-09-05", "Case Was Received"), step("2023-10-17", "Case Was Approved")]
TWICE = {"lastName": "GARCÍA PEÑA".encode().decode("latin-1"), "firstName": "JosÃ©"}


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    approved = DETAILS | GRANTED
    return {
        "filed-online/input.json": page(answer(case(), DETAILS), asOf="2025-11-21T04:00:00Z"),
        "approved-online/input.json": page(answer(case(text=APPROVED), approved, 2)),
        "public-shape-alone/input.json": json.dumps(
            {"case_status": case(EAC, APPROVED, "I-539", **DATED, hist_case_status=STEPS), "message": "..."}, indent=1
        ).encode(),
        "flat-shape-is-another/input.json": json.dumps(
            {"receiptNumber": EAC, "status": "Approved", "historicalCaseStatuses": []}
        ).encode(),
        "milliseconds-as-text/input.json": page(
            answer(case(EAC, DENIED, submittedDate="1693938526000", modifiedDate=1697519462000))
        ),
        "change-of-class/input.json": page(
            answer(case(form="I-129"), DETAILS | {"currentClass": "F1", "requestedClass": "H-1B"}),
            answer(
                case(form="i539"), DETAILS | {"currentClass": "F-1", "requestedClass": "F1", "requestedUntil": "D/S"}
            ),
        ),
        "requested-action/input.json": page(
            *(
                answer(
                    case(f"IOE90990002{number:02}", form="I-129"),
                    DETAILS | {"currentClass": "F1", "requestedClass": "H-1B", "requestedAction": action},
                )
                for number, action in enumerate("ABCDEFQ")
            )
        ),
        "denied-and-withdrawn/input.json": page(
            answer(case(text=DENIED), DETAILS | {"decisionDate": "2025-11-02"}),
            answer(case("IOE9099000118", "Withdrawal Acknowledgement Notice Was Sent"), DETAILS),
        ),
        "reopened-after-a-denial/input.json": page(
            answer(case(text=DENIED), DETAILS | {"decisionDate": "2025-11-02"}, 2),
            answer(
                case(text="Case Was Reopened", hist_case_status=[step("2025-11-02", DENIED)]),
                DETAILS | {"decisionDate": "2025-11-02"},
                3,
            ),
            answer(case(text=APPROVED), DETAILS | GRANTED | {"decisionDate": "2025-11-19"}, 4),
        ),
        "approval-revoked/input.json": page(
            answer(case(text=APPROVED), DETAILS | GRANTED | {"decisionDate": "2025-11-02"}, 2),
            answer(
                case(text="Approval Was Revoked", hist_case_status=[step("2025-11-02", APPROVED)]),
                DETAILS | {"decisionDate": "2025-11-19"},
                3,
            ),
        ),
        "codes-of-the-agency/input.json": page(
            answer(
                case(form="I-129"), DETAILS | {"currentClass": "F-1", "requestedClass": "1B1", "requestedAction": "B"}
            ),
            answer(case(text=APPROVED, form="I-129"), DETAILS | GRANTED | {"grantedClass": "HSC"}, 2),
        ),
        "no-day-at-all/input.json": json.dumps(
            {"case_status": case("IOE9099000119", "Case Was Received"), "message": "..."}
        ).encode(),
        "permanent-resident/input.json": page(
            answer(case(form="I485"), {"receivedDate": "2025-08-20", "aNumber": "99000117"}),
            answer(
                case(form="I485", text="Card Was Delivered To Me By The Post Office", **DATED)
                | {
                    "hist_case_status": [
                        step("2023-10-01", "Case Was Approved"),
                        step("2023-10-09", "Card Was Produced"),
                    ]
                },
                {"aNumber": "99000117", "grantedClass": "IR1"},
                2,
            ),
        ),
        "naturalisation/input.json": page(
            answer(case(form="N400"), DETAILS),
            answer(case(form="N-400", text="Oath Ceremony Notice Was Mailed"), DETAILS, 2),
            answer(case(form="N-400", text="Certificate of Naturalization Was Issued"), DETAILS, 3),
            answer(case(form="N-400", text=DENIED), DETAILS, 4),
        ),
        "temporary-protection/input.json": page(
            answer(case(form="I-821", text=APPROVED), DETAILS | {"grantedUntil": "2026-08-01"}),
            answer(case(form="I-821"), DETAILS),
        ),
        "protected/input.json": page(answer(case(), DETAILS | {"protected": True})),
        "other-forms/input.json": page(
            *(answer(case(form=form), DETAILS) for form in ("I-765", "I130", "I-589", "I-999", "Form I-90")),
            *(answer(case(form=form), DETAILS) for form in ("I-129F", "I-539A", "539", "", "I-5390")),
        ),
        "form-with-its-name/input.json": page(
            answer(case(form="I-539, Application To Extend/Change Nonimmigrant Status"), DETAILS),
            answer(case(form="form i 485"), DETAILS),
            answer(case(form=" I539 "), DETAILS),
        ),
        "history-of-another-shape/input.json": page(
            answer(case(hist_case_status={}), DETAILS),
            answer(case(hist_case_status=[]), DETAILS),
            answer(case(hist_case_status="none"), DETAILS),
            answer(case(hist_case_status=["x", *STEPS]), {"aNumber": "A099000117"}),
        ),
        "errors-of-one-receipt/input.json": page(
            failed(404, {"errors": [{"status": 404, "title": "Not found", "traceId": "x"}]}),
            failed(410),
            failed(422, None, "IOE9099000118"),
            failed(500),
            failed(200),
            failed(422, [{"code": "1", "message": "malformed"}], "IOE123"),
        ),
        "unknown-status-text/input.json": page(
            answer(case(text="Case Was Sent To <b>A Place</b> Never Heard Of"), DETAILS),
            answer(case(EAC, "Something New", **DATED, hist_case_status=STEPS)),
        ),
        "markup-in-texts/input.json": page(
            answer(case(text="<p>Case&nbsp;Was   APPROVED.</p>"), approved),
            answer(case(text="Response To USCIS&#039; Request For Evidence Was Received"), DETAILS),
        ),
        "encoded-twice/input.json": page(
            answer(case(), DETAILS | TWICE | {"countryOfCitizenship": "CÃ´te d'Ivoire", "gender": "male"})
        ),
        "full-names-of-countries/input.json": page(
            answer(case(), DETAILS | {"countryOfCitizenship": "Korea, Republic of", "gender": "Unknown"}),
            answer(case(), DETAILS | {"countryOfCitizenship": "ESP", "passportCountry": "Atlantis", "gender": "F"}),
        ),
        "void-and-rejected/input.json": page(
            answer(case(text=APPROVED), approved | {"void": True}, 3),
            answer(case("IOE9099000118", "Case Rejected Because I Sent An Incorrect Fee"), {}, 2),
        ),
        "another-receipt/input.json": page(answer(case(), DETAILS, receiptNumber=EAC)),
        "bad-optional-values/input.json": page(
            answer(
                case(text=APPROVED, submittedDate="2025-08-20T00:00:00Z", modifiedDate="13-40-2025 00:00:00")
                | {"hist_case_status": [step("20-08-2025", RECEIVED), step("2025-08-21", 7), step(None, RECEIVED)]},
                approved
                | {
                    "aNumber": "A1",
                    "i94Number": "?",
                    "passportNumber": "?",
                    "newI94Number": "1",
                    "dateOfBirth": "05-23-1987",
                    "gender": 7,
                    "receivedDate": "yesterday",
                    "decisionDate": "02-11-2025",
                    "currentClass": "",
                    "requestedClass": "??",
                    "requestedUntil": "never",
                    "grantedUntil": "2026-02-30",
                    "validFrom": 7,
                },
            )
        ),
        "bad-values/input.json": page(
            answer(case("IOE123"), DETAILS),
            answer(case() | {"formType": None}, DETAILS),
            answer(case() | {"current_case_status_text_en": None}, DETAILS),
            answer(case(), DETAILS, 0),
            answer(case(), DETAILS, changedAt="2025-11-20 15:03:11"),
            answer(case(), {"lastName": "MARLOWE"}),
            answer(case(), DETAILS | {"receivedDate": "2025-12-20"}),
            answer(case(), DETAILS | {"void": "true"}),
            answer(case(), DETAILS | {"protected": "Y"}),
            answer(case(text=" <br> "), DETAILS),
            {"listed": None, "status": 200, "answer": {"case_status": None}},
        ),
        "no-cases/input.json": page(asOf="2025-11-21T04:00:00Z"),
        "a-sign-in-page/input.json": b"<!DOCTYPE html><title>Sign in</title>\n",
    }
