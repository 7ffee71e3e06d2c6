"""The ports that travellers use, as the I-94 interface lists them, each with the zone of its local times."""

from __future__ import annotations

_NEW_YORK, _CHICAGO, _DENVER = "America/New_York", "America/Chicago", "America/Denver"
_WEST, _GUAM, _HAWAII = "America/Los_Angeles", "Pacific/Guam", "Pacific/Honolulu"

ZONES: dict[str, str] = {
    "JFK": _NEW_YORK,
    "EWR": _NEW_YORK,
    "BOS": _NEW_YORK,
    "IAD": _NEW_YORK,
    "PHL": _NEW_YORK,
    "ATL": _NEW_YORK,
    "MIA": _NEW_YORK,
    "FLL": _NEW_YORK,
    "MCO": _NEW_YORK,
    "DTW": "America/Detroit",
    "ORD": _CHICAGO,
    "MSP": _CHICAGO,
    "DFW": _CHICAGO,
    "IAH": _CHICAGO,
    "DEN": _DENVER,
    "PHX": "America/Phoenix",
    "LAS": _WEST,
    "LAX": _WEST,
    "SAN": _WEST,
    "SFO": _WEST,
    "SEA": _WEST,
    "ANC": "America/Anchorage",
    "HNL": _HAWAII,
    "GUM": _GUAM,
    "SPN": _GUAM,
    "SJU": "America/Puerto_Rico",
    "YYZ": "America/Toronto",
    "YVR": "America/Vancouver",
    "DUB": "Europe/Dublin",
    "AUH": "Asia/Dubai",
    "NAS": "America/Nassau",
    "PMI": _NEW_YORK,
    "PEV": _NEW_YORK,
    "NYS": _NEW_YORK,
    "GVS": _CHICAGO,
    "LBS": _WEST,
    "HNS": _HAWAII,
    "KTN": "America/Sitka",
    "SYS": _WEST,
    "NOG": "America/Phoenix",
    "PDN": _DENVER,
    "LAR": _CHICAGO,
    "BLA": _WEST,
    "SWE": _DENVER,
    "PBB": _NEW_YORK,
    "CHM": _NEW_YORK,
    "HTM": _NEW_YORK,
}
AIR = (
    *("JFK",) * 9,
    *("MIA", "LAX", "LAX", "LAX", "SFO", "SFO", "EWR", "ORD", "ATL", "IAH", "DFW", "BOS", "IAD", "MCO") * 2,
    *("HNL", "HNL", "GUM", "GUM", "SPN", "SEA", "LAS", "SAN", "FLL", "PHL", "DTW", "MSP", "DEN", "PHX", "ANC", "SJU"),
    *("YYZ", "YVR", "DUB", "AUH", "NAS"),
)
"""Airports of entry, repeated by their traffic; preclearance abroad counts as entry there."""
ABROAD = ("YYZ", "YVR", "DUB", "AUH", "NAS")
"""Airports of preclearance."""
OUT = tuple(port for port in AIR if port not in ABROAD)
SEA = ("PMI", "PMI", "PEV", "NYS", "GVS", "LBS", "HNS", "KTN")
LAND = ("SYS", "SYS", "NOG", "PDN", "LAR", "LAR", "BLA", "SWE", "PBB", "CHM", "HTM")
INTO_CANADA = {
    "BLA": "PACIFIC HIGHWAY",
    "SWE": "COUTTS",
    "PBB": "FORT ERIE",
    "CHM": "ST-BERNARD-DE-LACOLLE",
    "HTM": "WOODSTOCK ROAD",
}
"""The port on the other side of each crossing into Canada, as Canada's border agency names it."""
WESTWARD = {_NEW_YORK: "HNL", _CHICAGO: "HNL", _DENVER: "HNL", _WEST: "HNL"}
"""A port so far west that it is still yesterday there when the day of the zone is over."""
EASTWARD = {_WEST: "JFK", _HAWAII: "JFK", _CHICAGO: "MIA", _DENVER: "BOS", "America/Phoenix": "EWR"}
"""A port so far east that the day has already begun there while that of the zone before lasts."""
AIRLINES = ("AA", "UA", "DL", "BA", "LH", "AF", "KL", "JL", "NH", "QF", "EK", "AM", "AV", "LA", "IB", "SQ")
SHIPPING = ("CCL", "RCI", "NCL", "MSC")
HUBS: dict[str, tuple[str, str]] = {
    "AA": ("LHR", "Europe/London"),
    "UA": ("FRA", "Europe/Berlin"),
    "DL": ("AMS", "Europe/Amsterdam"),
    "BA": ("LHR", "Europe/London"),
    "LH": ("MUC", "Europe/Berlin"),
    "AF": ("CDG", "Europe/Paris"),
    "KL": ("AMS", "Europe/Amsterdam"),
    "JL": ("NRT", "Asia/Tokyo"),
    "NH": ("HND", "Asia/Tokyo"),
    "QF": ("SYD", "Australia/Sydney"),
    "EK": ("DXB", "Asia/Dubai"),
    "AM": ("MEX", "America/Mexico_City"),
    "AV": ("BOG", "America/Bogota"),
    "LA": ("SCL", "America/Santiago"),
    "IB": ("MAD", "Europe/Madrid"),
    "SQ": ("SIN", "Asia/Singapore"),
}
"""Each airline flies to and from one airport abroad."""
