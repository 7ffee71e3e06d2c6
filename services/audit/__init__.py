"""The audit log: who looked whom up or decided what, when, why and with what result.

Append-only; each row is sealed by a key that its database does not hold, over the seal of the row before. The last seal
is given out by itself (`heads`), so that a log which was cut off, emptied or put back to an earlier state shows too. A
row names persons only as keyed hashes, by another key: who holds that key can ask "who looked up this number", and no
number can be read off the log. The rows of one log form one chain, however many processes write.
"""

from services.audit.keys import AuditKeys, held_keys, keys_of
from services.audit.log import Audit, AuditLog, Clock, open_audit
from services.audit.reading import open_reading
from services.audit.rows import FIRST, AuditBroken, AuditDown, Entry, Result, Row
from services.audit.verdict import Verdict, verify

__all__ = [
    "FIRST",
    "Audit",
    "AuditBroken",
    "AuditDown",
    "AuditKeys",
    "AuditLog",
    "Clock",
    "Entry",
    "Result",
    "Row",
    "Verdict",
    "held_keys",
    "keys_of",
    "open_audit",
    "open_reading",
    "verify",
]
