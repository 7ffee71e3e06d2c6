"""What becomes of an application: to stay longer, otherwise or for good, to be naturalised, to be protected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from adapters import petitions
from adapters.converters import day_or_status, whole_day
from adapters.fields import Fields
from adapters.mapper import Says
from adapters.systems.elis.case_status import OFFICE
from schemas.events import Extension, Status


def application(
    action: str, filed: date | None, decided: date | None, details: Fields, common: dict[str, Any]
) -> Iterator[Says]:
    """What becomes of an application to stay longer, otherwise or for good. Raises ValueError."""
    form, current = common["form"], details.optional("currentClass", petitions.plain_class)
    requested = details.optional("requestedClass", petitions.plain_class)
    common |= {
        "asks": petitions.asked(details, form, "requestedAction", current, requested),
        "filed_on": filed,
        "requested_class": requested,
        "requested_until": details.optional("requestedUntil", day_or_status),
    }
    if filed is not None:
        yield Says(Extension, common | {"occurred_at": whole_day(filed, OFFICE), "action": "filed"}, part="filed")
    if decided is None:
        return
    fields = common | {"occurred_at": whole_day(decided, OFFICE), "action": action}
    granted = petitions.granted(details, "grantedClass", "grantedUntil", "validFrom") if action == "approved" else {}
    yield Says(Extension, fields | granted, part="decision")
    if form == "I-485" and action == "approved":
        resident = {"fact": "permanent_resident", "class_of_admission": granted["granted_class"]}
        who = {"subject": fields["subject"], "occurred_at": fields["occurred_at"]}
        yield Says(Status, who | resident, part="status")


def status(
    form: str, action: str, filed: date | None, decided: date | None, details: Fields, common: dict[str, Any]
) -> Iterator[Says]:
    """What becomes of an application for naturalisation or for temporary protection. Raises ValueError."""
    if form == "N-400" and filed is not None:
        fields = {"occurred_at": whole_day(filed, OFFICE), "fact": "naturalisation_pending"}
        yield Says(Status, common | fields, part="filed")
    if decided is None or (form == "N-400" and action == "approved"):
        return
    fields = {"occurred_at": whole_day(decided, OFFICE)}
    if form == "I-821":
        fields |= {"fact": "tps", "until": details.optional("grantedUntil", day_or_status)}
    else:
        fields["fact"] = "naturalised" if action == "naturalised" else "naturalisation_denied"
    yield Says(Status, common | fields, part="decision")
