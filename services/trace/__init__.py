"""What became of a record, step by step: file, receipt, refusal or event, person, status, changes told."""

from services.trace.questions import About, ByEvent, ByFile, ByIdentifier, ByRecord, audited, question_of
from services.trace.tracer import MOST_RECORDS, Tracer

__all__ = ["MOST_RECORDS", "About", "ByEvent", "ByFile", "ByIdentifier", "ByRecord", "Tracer", "audited", "question_of"]
