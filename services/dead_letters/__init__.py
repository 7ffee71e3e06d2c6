"""Dead letters: records that could not be read, each with the reason, its place and its bytes.

Ingest, the door and the correlator make them (`dead_letter`); the command line and a console read them from their topic
(`read`, `load`, `group`). Bytes too large for a message are kept in the spool.
"""

from services.dead_letters.message import dead_letter, dead_message, encodable, message_of_body
from services.dead_letters.reasons import shape, shape_of_failure
from services.dead_letters.spool import Spool, SpoolDown
from services.dead_letters.topic import DeadLetter, Group, Selection, group, load, read

__all__ = [
    "DeadLetter",
    "Group",
    "Selection",
    "Spool",
    "SpoolDown",
    "dead_letter",
    "dead_message",
    "encodable",
    "group",
    "load",
    "message_of_body",
    "read",
    "shape",
    "shape_of_failure",
]
