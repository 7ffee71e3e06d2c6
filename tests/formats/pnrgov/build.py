"""Interchanges of PNRGOV from plain words; the people are invented."""

from __future__ import annotations

UNB = "UNB+IATA:1+1A+CBP+260228:1412+{0}'"
UNH = "UNH+{0}+PNRGOV:13:1:IA+XA123/260301/1900/24+{1}'"
TVL = "TVL+010326:1900:010326:2235+JFK+YUL+XA+123'"
HEAD = "MSG+:22'ORG+1A:YUL'" + TVL
SRC = "SRC'RCI+XA:QX7RTA::200226:0900'DAT+700:270226:1412'"
TIF = "TIF+MARLOWE+IRENE MRS:A:1:1'"
DOCS = "SSR+DOCS:HK:1:XA:::::/P/GBR/099123456/GBR/23AUG77/F/13FEB30/MARLOWE/IRENE ANNE'"
LEG = "TVL+010326:1900:010326:2235+JFK+YUL+XA+123:Y'RPI+1+HK'APD+388'"


def interchange(*messages: str, number: str = "0117", una: str = "UNA:+.?*'") -> bytes:
    return (una + UNB.format(number) + "".join(messages) + f"UNZ+1+{number}'").encode()


def message(*reservations: str, part: str = "01:F", count: int = 1, head: str = HEAD, unh: str = UNH) -> str:
    body = unh.format("1", part) + head + f"EQN+{count}'" + "".join(reservations)
    return f"{body}UNT+{body.count(chr(39)) + 1}+1'"


def reservation(*travellers: str, leg: str = LEG, src: str = SRC) -> str:
    return src + "".join(travellers or (TIF + DOCS,)) + leg


INFANT = "TIF+MARLOWE+TOBY:IN:2'"
OF_INFANT = "SSR+DOCS:HK:1:XA:::::/P/GBR/099777888/GBR/20SEP25/MI/25OCT30/MARLOWE/TOBY JOHN/'"
LOG = "INFO  [2026-02-28T14:12:23,379][listener-4][ID:69ef7fc9] - MQ Message sent to [PNR.OUT] Message body [\n"
