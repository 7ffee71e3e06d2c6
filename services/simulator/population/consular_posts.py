"""The posts abroad at which visas are asked for, by citizenship, in the codes of `schemas/data/posts.tsv`.

Which code is which post is not in that table: these are the simulation's reading.
"""

from __future__ import annotations

POSTS: dict[str, str] = {
    "AFG": "ISL",
    "ARG": "BNS",
    "AUS": "SYD",
    "AUT": "VNN",
    "BEL": "BRS",
    "BGD": "DHK",
    "BRA": "RDJ",
    "CHL": "SNT",
    "CHN": "GUZ",
    "COL": "BGT",
    "D": "FRN",
    "EGY": "CRO",
    "ESP": "MDD",
    "ETH": "ADD",
    "FRA": "PRS",
    "GBR": "LND",
    "IND": "NWD",
    "IRL": "DBL",
    "IRQ": "BGH",
    "JPN": "TKY",
    "KEN": "NRB",
    "KOR": "SEO",
    "MEX": "MTR",
    "NGA": "LGS",
    "NLD": "AMS",
    "PAK": "ISL",
    "PHL": "MNL",
    "POL": "WRW",
    "PRT": "LSB",
    "SAU": "RID",
    "SDN": "CRO",
    "SOM": "NRB",
    "TUR": "AKD",
    "VNM": "HCM",
}
"""Afghans and Somalis apply abroad, as do Sudanese since the embassy in Khartoum closed."""
