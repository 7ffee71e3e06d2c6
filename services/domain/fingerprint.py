"""What made a view: its rules, weights, code tables and normaliser, as one short text.

Two correlators that differ here would write two different views into one store; the second is refused.
"""

from __future__ import annotations

from hashlib import blake2b

from schemas.countries import STATES
from schemas.events import SCHEMA_VERSION
from services.domain import identity, rules

NORMALISER = 1
"""Raised whenever names, claims, keys or blocks are spelt otherwise, or the code that settles answers otherwise."""


def fingerprint() -> str:
    """Sixteen hexadecimal digits."""
    parts = (
        SCHEMA_VERSION,
        NORMALISER,
        sorted(STATES),
        sorted(identity.WEIGHTS.items()),
        sorted(identity.PLACEHOLDERS),
        (identity.NAMES_WEIGHT, identity.SHARED_LIMIT),
        [
            (rule.id, sorted(rule.classes), rule.basis.name, rule.citation, rule.days, rule.grace_days)
            for rule in rules.RULES
        ],
        [(rule.extendable, rule.since.isoformat(), rule.until.isoformat()) for rule in rules.RULES],
        rules.EVIDENCE_ORDER,
        rules.ABSENCE_SCOPES,
    )
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()
