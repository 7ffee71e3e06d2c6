"""Text that was encoded twice is put right; any other stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.text_repair import encoded_once

NAMES = ["José", "GARCÍA PEÑA", "ÁÍÏÐÝ", "Łódź", "Đặng", "Ngô Đình Diệm", "Ørsted", "Αθήνα", "Иванов", "李小龍"]


def read_as(text: str, encoding: str) -> str:
    """What becomes of it where its UTF-8 is read as that, as most programs do: unknown bytes as they are."""
    return "".join(_char(byte, encoding) for byte in text.encode())


def _char(byte: int, encoding: str) -> str:
    try:
        return bytes([byte]).decode(encoding)
    except UnicodeDecodeError:
        return chr(byte)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_encoded_twice_or_three_times_is_put_right(name: str, encoding: str) -> None:
    assert encoded_once(read_as(name, encoding)) == name
    assert encoded_once(read_as(read_as(name, encoding), encoding)) == name
    assert encoded_once(name) == name


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=30))
def test_plain_text_stays(text: str) -> None:
    assert encoded_once(text) == text


@given(st.text(max_size=30))
def test_any_text_gives_text(text: str) -> None:
    assert isinstance(encoded_once(text), str)
