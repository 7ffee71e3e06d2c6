"""What becomes of an application: to stay longer, otherwise or for good, to be naturalised, to be protected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from adapters import petitions
from adapters.converters import day, day_or_status, whole_day
from adapters.fields import Fields
from adapters.mapper import Says
from adapters.systems.elis.case_status import OFFICE
from schemas.events import Extension, Status

ASKS = {"I-539": "extend", "I-129": "extend", "I-485": "adjust"}
"""What a form asks for."""


def application(
    action: str, filed: date | None, decided: date | None, details: Fields, common: dict[str, Any]
) -> Iterator[Says]:
    """What becomes of an application to stay longer, otherwise or for good. Raises ValueError."""
    asks, current = ASKS[common["form"]], details.optional("currentClass", petitions.plain_class)
    asked = details.optional("requestedClass", petitions.plain_class)
    requested = details.optional("requestedAction", petitions.asks) if asks == "extend" else None
    changes = asks == "extend" and asked not in (None, current)
    common |= {
        "asks": requested or ("change_class" if changes else asks),
        "filed_on": filed,
        "requested_class": asked,
        "requested_until": details.optional("requestedUntil", day_or_status),
    }
    if filed is not None:
        yield Says(Extension, common | {"occurred_at": whole_day(filed, OFFICE), "action": "filed"}, part="filed")
    if decided is None:
        return
    fields = common | {"occurred_at": whole_day(decided, OFFICE), "action": action}
    granted = details.optional("grantedClass", petitions.plain_class) if action == "approved" else None
    if action == "approved":
        fields |= {"granted_class": granted, "granted_until": details.optional("grantedUntil", day_or_status)}
        fields |= {"valid_from": details.optional("validFrom", day)}
    yield Says(Extension, fields, part="decision")
    if asks == "adjust" and action == "approved":
        resident = {"fact": "permanent_resident", "class_of_admission": granted}
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
