"""Who may say what: the rights of each system, the keys by which its ingest is known, and the judging of events."""

from services.authority.admission import Admission
from services.authority.rights import EXAMINERS, Refused, Rights, rights_of, table

__all__ = ["EXAMINERS", "Admission", "Refused", "Rights", "rights_of", "table"]
