"""EDMS: scanned documents to statuses, marked where their form betrays what the law keeps secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.converters import code, text
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.database_extract import DatabaseExtract
from adapters.transports.rows import timestamp
from adapters.transports.snapshot import Snapshot, number_of
from schemas.confidential import marks_of_forms
from schemas.events import Handling, Status
from schemas.identifiers import Scheme
from schemas.moments import Moment

COLUMNS = ("document_id", "a_number", "file_part", "form_number", "pages", "scanned_at", "office")
PART = code({"L": None, "R": None, "W": None, "S": "separator-sheets"})
FILE = Person(numbers=(Number(Scheme.A_NUMBER, "a_number", needed=True),))
_KEY = re.compile(r"[A-Z0-9]{1,20}")


def key(row: Fields) -> str:
    """The document. Raises ValueError."""
    document = text(row["document_id"], "document_id")
    if not _KEY.fullmatch(document):
        raise ValueError("document_id is no number of a document")
    return document


def handling(row: Fields) -> Iterator[Handling]:
    """What the form betrays, supplements and other spellings included: I-918A, I918."""
    return marks_of_forms(row.text("form_number"))


def says(row: Fields) -> Iterator[Says]:
    """That it was scanned. Raises ValueError."""
    at = timestamp(row.text("scanned_at"), "scanned_at")
    fields = {"occurred_at": Moment.instant(at), "subject": FILE.of(row), "fact": "file_scanned"}
    yield Says(Status, fields | {"reason": row.text("form_number")})


MAPPING = Mapper(
    key=key,
    version=number_of,
    skips=lambda row: PART(row.text("file_part"), "file_part"),
    recorded=lambda row: timestamp(row.text("scanned_at"), "scanned_at"),
    handling=handling,
    says=says,
)
VIEW = Snapshot(
    DatabaseExtract(view="visabus_scanned_document", columns=COLUMNS, numbers=("pages",), every=20 * 3600.0),
    key=key,
    keep=("document_id", "a_number", "file_part", "form_number", "scanned_at"),
    ignore=("pages", "office"),
)
ADAPTER = System(
    "EDMS",
    title="EDMS, scanned files",
    owner="USCIS",
    number=27,
    emits=("status",),
    covers=(),
    facts=("file_scanned",),
    identifiers=("a_number",),
    mapping_version=1,
    feeds=(Feed("documents", VIEW, MAPPING),),
)
