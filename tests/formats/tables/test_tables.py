"""Tables in tab-separated files: shifted rows are put right or kept, never dropped; counts decide what is whole."""

from __future__ import annotations

import tarfile
import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.core import BadRecord, Closing, Feed, Gone, Header, Mapped, Met, Note, Outside, Record
from adapters.formats.tables import TABLE, Table, TabTables, disagreements
from adapters.transports.file_drop import FileDrop
from adapters.transports.snapshot import Snapshot

CASES = Table(
    "A_Cases",
    key="ID",
    columns=("ID", "CITY", "STATE", "NAT", "OPENED", "CLOSED", "NOTE"),
    dates=("OPENED", "CLOSED"),
    codes={"STATE": r"[A-Z]{2}", "NAT": r"\S{2}"},
    texts=("CITY",),
)
FORMAT = TabTables((CASES,))
HEAD = "\t".join(CASES.columns)
GOOD = "1\tNEW YORK\tNY\tMX\t2024-01-02 00:00:00.000\t\tx"


def rows(*lines: str, head: str = HEAD) -> list[Record | BadRecord]:
    data = "\r\n".join([head, *lines, ""]).encode("latin-1")
    return [read for read in FORMAT.read(BytesIO(data)) if not isinstance(read, Note)]


def fields(line: str) -> dict[str, str]:
    (read,) = rows(line)
    assert isinstance(read, Record), read
    return {name: value for name, value in read.fields.items() if name != TABLE}


def test_a_row_is_read_as_it_is() -> None:
    assert fields(GOOD) == dict(zip(CASES.columns, GOOD.split("\t"), strict=True))


def test_columns_come_in_any_order_and_case_and_may_be_more() -> None:
    (read,) = rows("7\tx\tMX\t\t\tMIAMI\tFL\textra", head="id\tnote\tNat\tOpened\tclosed\tCITY\tstate\tmore")
    assert isinstance(read, Record)
    assert (read.fields["ID"], read.fields["CITY"], read.fields["MORE"]) == ("7", "MIAMI", "extra")


@pytest.mark.parametrize(
    "line",
    [
        "1\tNEW\tYORK\tNY\tMX\t2024-01-02 00:00:00.000\t\tx",
        "1\t\tNEW YORK\tNY\tMX\t2024-01-02 00:00:00.000\t\tx",
        "1\tNEW YORK\tNY\tMX\t2024-01-02 00:00:00.000\t\tx\t\t",
    ],
    ids=["in a text", "before it", "behind the row"],
)
def test_a_stray_tab_is_put_right(line: str) -> None:
    assert fields(line) == fields(GOOD)
    (read,) = rows(line)
    assert read.place == "line 2, columns put right"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1\tA\tB\tC\tD\tE\tF\tG\tH\tI", "3 values too many, and no way to put them right"),
        ("1\t\tNY\tMX\t\t\t\tx", "1 values too many, and more than one way"),
        ("1\tNEW YORK\tNY\tMX\t\t2024-01-02\t", None),
        ("1\tNEW YORK\tNY\tMX", "4 values, 7 columns"),
        ("1\tNEW YORK\tNY\t2024-01-02\tMX\t\tx", "OPENED has a value of another kind"),
        ("FC\tNEW YORK\tNY\tMX\t\t\t", "ID has a value of another kind"),
    ],
)
def test_what_cannot_be_put_right_is_kept_with_its_key(line: str, why: str | None) -> None:
    (read,) = rows(line)
    if why is None:
        assert isinstance(read, Record)
        return
    assert isinstance(read, BadRecord)
    assert why in read.reason
    assert read.record == (None if line.startswith("FC") else "A_Cases/1")
    assert read.raw.decode("latin-1").rstrip() == line.rstrip()


def test_control_bytes_and_latin_1_are_read() -> None:
    assert fields("1\tSAN JOS\xc9\x00\x07\tNY\tMX\x00\t\t\t")["CITY"] == "SAN JOS\xc9"


def test_a_file_of_no_table_is_passed_over_whole() -> None:
    data = b"code\tname\n" + b"x\ty\n" * 50_000
    reads = list(FORMAT.read(BytesIO(data)))
    assert all(isinstance(read, Outside) for read in reads)
    assert b"".join(read.raw for read in reads) == data


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([b"", f"{HEAD}\n{GOOD}\n".encode(), b"A\t1\n"]), st.binary(max_size=300))
def test_every_byte_is_in_one_read(head: bytes, tail: bytes) -> None:
    data = head + tail
    reads = list(FORMAT.read(BytesIO(data)))
    assert b"".join(read.raw for read in reads) == data


def test_counts_say_whether_an_extract_is_whole() -> None:
    def notes(count: str, lines: int, tables: int = 1) -> list[Note]:
        files = [f"{HEAD}\n" + f"{GOOD}\n" * lines] * tables + ([count] if count else [])
        reads = [read for each in files for read in FORMAT.read(BytesIO(each.encode()))]
        return [read for read in reads if isinstance(read, Header | Closing)]

    assert list(disagreements(notes("A_cases\t3\nOther\t9\n", 3), [CASES])) == []
    assert list(disagreements(notes("A_Cases\t4\n", 3), [CASES])) == ["A_Cases has 3 rows, and 4 are counted"]
    assert list(disagreements(notes("Other\t4\n", 3), [CASES])) == ["A_Cases is not counted"]
    assert list(disagreements(notes("A_Cases\t4\n", 3, tables=0), [CASES])) == ["A_Cases is missing"]
    assert list(disagreements(notes("", 3), [CASES])) == ["what counts the rows of its tables is missing"]
    assert "A_Cases is there twice" in list(disagreements(notes("A_Cases\t3\n", 3, tables=2), [CASES]))
    # as other hands write them
    odd = "\xef\xbb\xbfTable\tRows\nA_Cases.csv\t 3\n"
    assert list(disagreements(notes(odd, 3), [CASES])) == []
    # counted a moment earlier than the tables were written: a few of thousands
    assert list(disagreements(notes("A_Cases\t3002\n", 3000), [CASES])) == []
    assert list(disagreements(notes("A_Cases\t3004\n", 3000), [CASES])) != []


def archive(files: dict[str, str]) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as into:
        for name, text in files.items():
            into.writestr(name, text)
    return packed.getvalue()


STAGE = Snapshot(
    FileDrop(unwrap="zip"),
    key=lambda row: f"{row[TABLE]}/{row['ID']}",
    keep=(TABLE, "ID"),
    complete=lambda notes: disagreements(notes, [CASES]),
)
FEED = Feed("extract", STAGE, lambda entry, origin: Mapped(), FORMAT)


def test_an_archive_is_compared_once_it_is_whole() -> None:
    files = {"A_Cases.csv": f"{HEAD}\n{GOOD}\n", "Other.csv": "a\tb\n" * 9, "Count.txt": "A_Cases\t1\n"}
    reads = list(FEED.offline(archive(files)))
    assert [read.place for read in reads if isinstance(read, Record)] == ["A_Cases.csv, line 2"]
    (bad,) = FEED.offline(archive(files | {"Count.txt": "A_Cases\t2\n"}))
    assert isinstance(bad, BadRecord)
    assert bad.reason.endswith("it is not whole: A_Cases has 1 rows, and 2 are counted")


def test_a_row_that_cannot_be_read_holds_up_no_deletion_but_its_own() -> None:
    lines = [GOOD, GOOD.replace("1\t", "2\t", 1), GOOD.replace("1\t", "3\t", 1)]
    extracts = [lines, [lines[0], "2\t\tNY\tMX\t\t\t\tx"]]
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as into:
        for number, each in enumerate(extracts):
            text = "\n".join([HEAD, *each, ""])
            data = archive({"A_Cases.csv": text, "Count.txt": f"A_Cases\t{len(each)}\n"})
            info = tarfile.TarInfo(f"{number}.zip")
            info.size = len(data)
            into.addfile(info, BytesIO(data))
    reads = list(FEED.offline(tar.getvalue()))
    assert [read.fields["ID"] for read in reads if isinstance(read, Gone)] == ["3"]
    assert [read.record for read in reads if isinstance(read, BadRecord)] == ["A_Cases/2"]


def test_a_row_is_read_again_of_the_table_that_its_place_names() -> None:
    context = b'{"@extract":7}\n'
    (read,) = FEED.reread(GOOD.encode(), Met("A_Cases.csv, line 2", context))
    assert isinstance(read, Record)
    assert read.fields["CITY"] == "NEW YORK"
    (bad,) = FEED.reread(GOOD.encode(), Met("line 2", context))
    assert isinstance(bad, BadRecord)
