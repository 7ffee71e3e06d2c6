"""Messages as lines: whatever they hold comes back, and a line that is none says why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.messages import Message, line_of, message_of

BYTES = st.none() | st.binary(max_size=20) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))


@given(BYTES, BYTES, st.lists(st.tuples(st.text(max_size=9, alphabet="abc_.é"), BYTES), max_size=3))
def test_a_message_comes_back_from_its_line(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    message = Message(value, key, tuple(headers))
    line = line_of(message)
    assert line.count(b"\n") == 1
    assert message_of(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"key":1,"value":null}',
        b'{"key":null,"value":null,"more":1}',
        b'{"key":null,"value":{"base64":"?"}}',
        b'{"key":null,"value":null,"headers":[["a"]]}',
    ],
)
def test_a_line_that_is_no_message(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        message_of(line)
