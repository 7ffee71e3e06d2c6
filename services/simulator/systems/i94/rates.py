"""How often what happens in the records of I-94."""

from __future__ import annotations

WAIVER_DATE_LEFT_OUT = 0.15
"""Share of waiver admissions whose record carries no last day."""
FOIL_STATED = 0.8
"""Share of a visa holder's arrivals whose record carries the foil."""
DEPARTURE = {"all": 0.6, "document": 0.22, "document_only": 0.08, "number_only": 0.1}
"""What a departure's record says: everything; all but the I-94 number; the passport alone; the I-94 number alone."""
NEW_NUMBER_USED = 0.5
"""Share of departures after an approval that are recorded under the new I-94 number."""
CORRECTED_DEPARTURE = 0.03
"""Share of departures whose date is wrong in the first night's file and mended in the next."""
CORRECTED_ARRIVAL = 0.02
REPORTED_LATE = 0.01
"""Share of records that come some nights after the file that was thought complete."""
DUPLICATE_ARRIVAL = 0.015
"""Share of arrivals entered twice, the second entry deleted in the next night's file."""
