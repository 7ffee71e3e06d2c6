"""Messages of ACRIMe from plain words; the people are invented."""

from __future__ import annotations

ORI = "ZZ0000000"
IAQ = {
    "PUR": "C",
    "ATN": "SGT R HOLLOWAY",
    "PHN": "5055550117",
    "NAM": "OKAFORIN, MILES T",
    "DOB": "19880412",
    "SEX": "M",
    "POB": "MM",
    "CUS": "Y",
    "OFF": "5404",
    "ARN": "099000117",
    "FBI": "990011AA7",
}
RESP = {
    "TYP": "RESP",
    "NAM": "OKAFORIN, MILES T",
    "DOB": "04121988"[:4] + "88",
    "SEX": "M",
    "ARN": "099000117",
    "FIN": "9900117",
    "STA": "SUBJECT APPEARS TO BE PRESENT ON AN EXPIRED VISA",
    "DET": "N",
}
AT = "20260301142233"


def query(
    *, log: int = 117, at: str = AT, control: str = "0000117", to: str = "AX", ori: str = ORI, **tags: str
) -> str:
    """A query: the usual tags but for these; one that is empty is left out."""
    body = ".".join(f"{name}/{value}" for name, value in (IAQ | tags).items() if value)
    mark = f".*{control}" if control else ""
    return f"LOG {at} {log:010}\nIAQ.{ori}.{to}{mark}.TXT\n{body}\n"


def answer(*, log: int = 118, at: str = "20260301151102", control: str = "0000117", free: str = "", **tags: str) -> str:
    """An answer: the usual lines but for these; one that is empty is left out."""
    body = "\n".join(f"{name}/{value}" for name, value in (RESP | tags).items() if value)
    mark = f".*{control}" if control else ""
    return f"LOG {at} {log:010}\nIAR.AX.{ORI}{mark}.TXT\n{body}\n{free}"


def acknowledged(log: int = 117, control: str = "0000117") -> str:
    """The acknowledgement that a computer makes at once."""
    tags = dict.fromkeys(RESP, "") | {"TYP": "ACK"}
    return answer(log=log, at="20260301142235", control=control, free="YOUR QUERY IS BEING PROCESSED.\n", **tags)


FREE = "THIS IS NOT A GOVERNMENT DETAINER.\nARN/099999999\nSTA/NOT THIS ONE\nCONFIRM A HIT FIRST.\n"


def inputs() -> dict[str, bytes]:
    """The input of each case, by its path."""
    nothing = dict.fromkeys(("NAM", "DOB", "SEX", "ARN", "FIN"), "")
    wrapped = query().replace(".NAM/OKAFORIN, MILES T.", ".\nNAM/OKAFORIN,\nMILES T.")
    cases = {
        "query": query(),
        "query-and-both-its-answers": query() + acknowledged(118) + answer(log=119, free=FREE),
        "acknowledgement-is-no-answer": acknowledged(),
        "answer-that-names-nobody": answer(STA="NO RECORD", **nothing),
        "answer-with-free-text-that-looks-like-labels": answer(free=FREE),
        "answer-with-detainer": answer(DET="Y", STA="WORD " * 60),
        "answer-with-little": answer(NAM="", DOB="", SEX="", FIN="", STA="", DET=""),
        "dates-of-birth-of-six-and-eight-digits": query(DOB="041288", log=1, control="A1")
        + query(DOB="19880412", log=2, control="A2")
        + query(DOB="041226", log=3, control="A3")
        + query(DOB="021226", log=4, control="A4"),
        "a-numbers-of-eight-and-nine-digits": query(ARN="99000117", log=1, control="A1")
        + query(ARN="9900117", log=2, control="A2"),
        "full-stops-inside-values": query(NAM="ST. JOHN, MARY A.", ATN="SGT. R. HOLLOWAY"),
        "wrapped-lines": wrapped,
        "crlf": query().replace("\n", "\r\n") + answer().replace("\n", "\r\n"),
        "without-control-field": query(control=""),
        "destination-is-no-states-code": query(to="VT"),
        "sender-that-is-no-ori": query(ori="ZZ00"),
        "purposes": query(PUR="F", CUS="N", OFF="0399", log=1, control="A1") + query(PUR="J", log=2, control="A2"),
        "query-sent-again": query() + query(log=140, NAM="OKAFORIN, MILES TOBIAS"),
        "help-is-no-query": query().replace("IAQ.", "AM."),
        "nobody": query(NAM="") + query(NAM="OKAFORIN", log=118, control="A2"),
        "further-tags": query(SID="NM99001177", OLN="990011772"),
        "optional-values-that-are-wrong": query(DOB="1988", SEX="W", CUS="?", OFF="54", ARN="X99000117", FBI="1")
        + answer(FIN="1", DET="?"),
        "tag-twice": query(NAM="OKAFORIN, MILES T.NAM/OTHERIN, SAM") + query(SEX="M.SEX/F", log=118, control="A2"),
        "no-messages": "IAQ.ZZ0000000.AX.TXT\nPUR/C\nLOG 2026 1\nIAQ\n" + query().replace(".TXT", "") + query(),
        "kind-of-answer-that-is-none": answer(TYP="MAYBE"),
        "control-field-that-is-none": query(control="00-117"),
        "help-of-free-text": "LOG 20260301142233 0000000117\nAM.ZZ0000000.AX.TXT\nHELP\n",
        "tags-of-more-letters-and-a-full-stop-at-the-end": query(DOB="19880412.REASON/CRIMINAL INQUIRY").rstrip("\n")
        + ".\n",
        "sentences-that-are-confidential": "".join(
            answer(log=number, control=f"A{number}", STA=sentence)
            for number, sentence in enumerate(
                (
                    "SUBJECT WAS GRANTED ASYLUM",
                    "VALID T-1 NONIMMIGRANT",
                    "TEMPORARY PROTECTED STATUS UNTIL 2027",
                    "APPEARS TO BE AN LPR",
                ),
                200,
            )
        ),
        "time-that-is-none": query(at="20260230142233"),
    }
    return {f"{name}/input.txt": text.encode("latin-1") for name, text in cases.items()}
