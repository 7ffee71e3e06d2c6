"""Extracts of the immigration courts built from plain words, and the inputs of their cases."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from io import BytesIO

Row = Mapping[str, str]

CASE = """IDNCASE ALIEN_CITY ALIEN_STATE ALIEN_ZIPCODE UPDATED_ZIPCODE UPDATED_CITY NAT LANG CUSTODY SITE_TYPE E_28_DATE
    ATTY_NBR CASE_TYPE UPDATE_SITE LATEST_HEARING LATEST_TIME LATEST_CAL_TYPE UP_BOND_DATE UP_BOND_RSN CORRECTIONAL_FAC
    RELEASE_MONTH RELEASE_YEAR INMATE_HOUSING DATE_OF_ENTRY C_ASY_TYPE C_BIRTHDATE C_RELEASE_DATE UPDATED_STATE
    ADDRESS_CHANGEDON ZBOND_MRG_FLAG Sex DATE_DETAINED DATE_RELEASED LPR DETENTION_DATE DETENTION_LOCATION DCO_LOCATION
    DETENTION_FACILITY_TYPE CASEPRIORITY_CODE A_NUMBER LAST_NAME FIRST_NAME""".split()
PROCEEDING = """IDNPROCEEDING IDNCASE OSC_DATE INPUT_DATE BASE_CITY_CODE HEARING_LOC_CODE IJ_CODE TRANS_IN_DATE
    PREV_HEARING_LOC PREV_HEARING_BASE PREV_IJ_CODE TRANS_NBR HEARING_DATE HEARING_TIME DEC_TYPE DEC_CODE DEPORTED_1
    DEPORTED_2 OTHER_COMP APPEAL_RSVD APPEAL_NOT_FILED COMP_DATE ABSENTIA VENUE_CHG_GRANTED TRANSFER_TO
    DATE_APPEAL_DUE_STATUS TRANSFER_STATUS CUSTODY CASE_TYPE NAT LANG SCHEDULED_HEAR_LOC CORRECTIONAL_FAC CRIM_IND IHP
    AGGRAVATE_FELON DATE_DETAINED DATE_RELEASED A_NUMBER LAST_NAME FIRST_NAME""".split()
APPEAL = """idnAppeal idncase idnProceeding strAppealCategory strAppealType datAppealFiled strFiledBy datAttorneyE27
    datBIADecision strBIADecision strBIADecisionType strCaseType strLang strNat strProceedingIHP strCustody strProbono
    A_NUMBER""".split()
PERSON = {"A_NUMBER": "A099123456", "LAST_NAME": "GARCIA LOPEZ", "FIRST_NAME": "MARIA JOSE"}
ADDED = ("A_NUMBER", "LAST_NAME", "FIRST_NAME")
DAY = "{} 00:00:00.000"


def day(text: str) -> str:
    """A moment of the data."""
    return DAY.format(text)


def case(number: int = 7001, **changes: str) -> Row:
    """A row of A_TblCase."""
    usual = {
        "IDNCASE": str(number), "ALIEN_CITY": "EL PASO", "ALIEN_STATE": "TX", "ALIEN_ZIPCODE": "79901", "NAT": "MX",
        "LANG": "SP", "CUSTODY": "R", "SITE_TYPE": "M", "CASE_TYPE": "RMV", "LATEST_HEARING": day("2025-09-01"),
        "LATEST_TIME": "0900", "DATE_OF_ENTRY": day("2025-01-10"), "C_BIRTHDATE": "5/1987", "Sex": "F",
        "DATE_DETAINED": day("2025-02-03"), "DATE_RELEASED": day("2025-02-20"),
    }  # fmt: skip
    return usual | PERSON | changes


def proceeding(number: int = 9001, **changes: str) -> Row:
    """A row of B_TblProceeding."""
    usual = {
        "IDNPROCEEDING": str(number), "IDNCASE": "7001", "OSC_DATE": day("2025-02-04"),
        "INPUT_DATE": day("2025-02-10"), "BASE_CITY_CODE": "ELP", "HEARING_LOC_CODE": "ELP", "IJ_CODE": "ABC",
        "CASE_TYPE": "RMV", "NAT": "MX", "LANG": "SP", "CUSTODY": "R",
    }  # fmt: skip
    return usual | PERSON | changes


def decided(number: int = 9001, code: str = "X", on: str = "2025-08-08", **changes: str) -> Row:
    """A proceeding with a decision on the merits."""
    return proceeding(number, **{"DEC_TYPE": "O", "DEC_CODE": code, "COMP_DATE": day(on)} | changes)


def appeal(number: int = 501, **changes: str) -> Row:
    """A row of tblAppeal."""
    usual = {
        "idnAppeal": str(number), "idncase": "7001", "idnProceeding": "9001", "strAppealCategory": "IJ",
        "strAppealType": "Case Appeal", "datAppealFiled": day("2025-08-20"), "strFiledBy": "A", "strCaseType": "RMV",
        "strLang": "SP", "strNat": "MX", "A_NUMBER": PERSON["A_NUMBER"],
    }  # fmt: skip
    return usual | changes


def table(columns: Iterable[str], rows: Iterable[Row | str]) -> str:
    """The text of a table. A row that is a text stands as it is."""
    names = list(columns)
    lines = ["\t".join(names)]
    lines += [row if isinstance(row, str) else "\t".join(row.get(name, "") for name in names) for row in rows]
    return "\r\n".join([*lines, ""])


def line(columns: Iterable[str], row: Row) -> str:
    """A row as it stands in its table."""
    return "\t".join(row.get(name, "") for name in columns)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip archive that has the same bytes whenever it is made."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        for name, data in files.items():
            into.writestr(zipfile.ZipInfo(name, (2026, 11, 1, 4, 0, 0)), data)
    return packed.getvalue()


def extract(
    cases: Iterable[Row | str] = (),
    proceedings: Iterable[Row | str] = (),
    appeals: Iterable[Row | str] = (),
    *,
    without: Iterable[str] = (),
    counts: Mapping[str, int] | None = None,
    more: Mapping[str, str] | None = None,
    leave_out: Iterable[str] = (),
) -> bytes:
    """An extract. `without`: columns that are not there; `counts`: other numbers than there are rows."""
    absent = set(without)
    rows = {"A_TblCase": list(cases), "B_TblProceeding": list(proceedings), "tblAppeal": list(appeals)}
    columns = {"A_TblCase": CASE, "B_TblProceeding": PROCEEDING, "tblAppeal": APPEAL}
    files = {
        f"{name}.csv": table([each for each in columns[name] if each not in absent], those).encode("latin-1")
        for name, those in rows.items()
    }
    counted = {name: len(those) for name, those in rows.items()} | {"tbl_schedule": 1} | dict(counts or {})
    files["Count.txt"] = "".join(f"{name}\t{count}\r\n" for name, count in counted.items()).encode()
    files["tbl_schedule.csv"] = b"IDNSCHEDULE\tIDNPROCEEDING\r\n1\t9001\r\n"
    kept = {name: data for name, data in files.items() if name not in set(leave_out)}
    return archive(kept | {name: text.encode("latin-1") for name, text in (more or {}).items()})


def months(*extracts: bytes) -> bytes:
    """Successive extracts as an archive."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, each in enumerate(extracts, 1):
            info = tarfile.TarInfo(f"EOIR-2026{number:02}01.zip")
            info.size = len(each)
            tar.addfile(info, BytesIO(each))
    return packed.getvalue()


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    moved = {"COMP_DATE": day("2025-05-05"), "TRANSFER_STATUS": "V"}
    letters = [
        decided(1, "A", CASE_TYPE="AOC", IDNCASE="7002", OSC_DATE=""),
        decided(2, "A", CASE_TYPE="DEP", IDNCASE="7003"),
        decided(3, "A", CASE_TYPE="CFR", IDNCASE="7004", OSC_DATE=""),
        proceeding(4, OTHER_COMP="A", COMP_DATE=day("2025-08-08"), OSC_DATE=""),
        decided(5, "D", CASE_TYPE="DEP", IDNCASE="7003"),
        decided(6, "D", CASE_TYPE="AOC", IDNCASE="7002", OSC_DATE=""),
        decided(7, "D", OSC_DATE=""),
        decided(8, "T"),
        proceeding(9, OTHER_COMP="T", COMP_DATE=day("2025-08-08")),
        decided(10, "C"),
        proceeding(11, OTHER_COMP="C", COMP_DATE=day("2025-08-08")),
        proceeding(12, OTHER_COMP="U", COMP_DATE=day("2025-08-08")),
        decided(13, "V", DEPORTED_1="MX"),
        decided(14, "E", CASE_TYPE="EXC"),
        decided(15, "E"),
    ]  # fmt: skip
    whole = line(CASE, case())
    shifted = whole.replace("EL PASO", "EL\tPASO")
    in_front = line(PROCEEDING, decided()).replace("\tO\tX\t", "\t\tO\tX\t")
    lost = line(PROCEEDING, decided(9003)).replace("\tO\tX\t", "\tO\tX\tMX\tGT\tN\tN\t\t\tZ\t")
    short = "\t".join(line(PROCEEDING, decided(9004)).split("\t")[:30])
    older = [*CASE[:30], "GENDER", *CASE[31:38]]
    good = extract([case()], [decided(ABSENTIA="Y", DEPORTED_1="MX", DEPORTED_2="GT")], [appeal()])
    return {
        "ordered-in-absentia/input.zip": good,
        "one-letter-several-meanings/input.zip": extract([case(7002, CASE_TYPE="AOC")], letters),
        "transfers-are-no-ends/input.zip": extract([case()], [
            proceeding(9001, OTHER_COMP="C", VENUE_CHG_GRANTED=day("2025-05-05"), **moved),
            proceeding(9002, OTHER_COMP="T", **moved | {"TRANSFER_STATUS": "T"}),
            decided(9003),
        ]),
        "an-order-that-is-not-final/input.zip": extract([], [
            decided(1, APPEAL_RSVD="A"), decided(2, APPEAL_RSVD="I"), decided(3, APPEAL_RSVD="B", APPEAL_NOT_FILED="Y"),
            decided(4, "D", CASE_TYPE="AOC", APPEAL_RSVD="A", OSC_DATE=""), decided(5, "G", APPEAL_RSVD="B"),
        ]),
        "appeals/input.zip": extract([], [], [
            appeal(1), appeal(2, strAppealCategory="ij", strBIADecision="DIS", datBIADecision=day("2026-01-10")),
            appeal(3, strFiledBy="I", strBIADecision="DIS", datBIADecision=day("2026-01-10")),
            appeal(4, strAppealType="Bond Appeal"), appeal(5, strAppealCategory="DD"),
            appeal(6, strBIADecision="REM", datBIADecision=day("2026-01-10")),
            appeal(7, strBIADecision="DVD", datBIADecision=day("2026-01-10"), strFiledBy="B"),
            appeal(8, strCaseType="AOC"), appeal(9, strBIADecision="QQQ", datBIADecision=day("2026-01-10")),
            appeal(10, strBIADecision="TER", datBIADecision=""),
        ]),
        "stray-tabs/input.zip": extract([shifted, case(7002)], [in_front, decided(9002), lost, short]),
        "nul-and-control-bytes/input.zip": extract(
            [line(CASE, case(LAST_NAME="GARC\xcdA", FIRST_NAME="JOS\xc9\x00\x1a"))], [decided(9001, "X\x00")]
        ),
        "several-cases-of-one-person/input.zip": extract(
            [case(7001), case(7002, CASE_TYPE="BND"), case(7003, CASE_TYPE="CFR", C_ASY_TYPE="E"),
             case(7004, DATE_DETAINED="", DATE_RELEASED="")],
            [decided(9001), proceeding(9002, IDNCASE="7002", CASE_TYPE="BND", OSC_DATE="")],
        ),
        "asylum-is-confidential/input.zip": extract(
            [case(7005, CASE_TYPE="WHO"), case(7006, C_ASY_TYPE="I")],
            [decided(1, "G", CASE_TYPE="AOC", OSC_DATE=""), decided(2, "G", CASE_TYPE="WHO", OSC_DATE="")],
        ),
        "nationalities/input.zip": extract([
            case(7000 + number, NAT=nat, Sex=sex)
            for number, (nat, sex) in enumerate([("BZ", "F"), ("BS", "M"), ("BH", "N"), ("??", "U"), ("ZZZ", "X")], 1)
        ]),
        "the-public-release/input.zip": extract(
            [case(ALIEN_CITY="N/A", DATE_RELEASED="N/A", C_BIRTHDATE="12/1990")], [decided()], [appeal()], without=ADDED
        ),
        "an-older-release/input.zip": extract(
            leave_out=["A_TblCase.csv", "Count.txt"],
            more={
                "A_TblCase.csv": "\xef\xbb\xbf" + table(older, [case() | {"GENDER": "M"}]),
                "Count.txt": "Table\tRows\r\nA_TblCase.csv\t1\r\nB_TblProceeding\t 0\r\ntblAppeal\t0\r\n",
            },
        ),
        "bad-values/input.zip": extract(
            [case(7001, CASE_TYPE="QQQ"), case(7002, C_BIRTHDATE="1987"), case(7003, A_NUMBER="A12", Sex="", NAT="M"),
             case(7004, DATE_DETAINED="2025-02-30 00:00:00.000"), "FC\tEL PASO" + "\t" * (len(CASE) - 2)],
            [decided(5, "7"), decided(6, COMP_DATE=""), decided(7, IDNCASE=""), decided(8, CASE_TYPE=""),
             decided(9, "X", OSC_DATE="2025-02-04 25:00")],
        ),
        "counts-do-not-agree/input.zip": extract([case()], [decided()], counts={"B_TblProceeding": 2}),
        "no-counts/input.zip": extract([case()], [decided()], leave_out=["Count.txt"]),
        "a-table-is-missing/input.zip": extract([case()], [decided()], leave_out=["tblAppeal.csv"]),
        "empty-tables/input.zip": extract(),
        "no-archive/input.zip": b"IDNCASE\tno such table\r\n",
        "gone-and-back/input.tar": months(
            extract([case()], [proceeding(), proceeding(9002, IDNCASE="7002")], [appeal()]),
            extract([case()], [decided()]),
            extract([case()], [decided()], [appeal()]),
        ),
        "a-decision-is-taken-out/input.tar": months(
            extract([], [decided(9005, "G", CASE_TYPE="AOC", OSC_DATE=""), decided(9006)]),
            extract([], [proceeding(9005, CASE_TYPE="AOC", OSC_DATE=""), proceeding(9006, CASE_TYPE="QQQ")]),
            extract([], [proceeding(9005, CASE_TYPE="AOC", OSC_DATE="")]),
        ),
        "shifted-is-no-deletion/input.tar": months(
            extract([case()], [proceeding(9003), proceeding(9002)]), extract([case()], [lost]),
        ),
    }  # fmt: skip
