"""A person at a terminal sees how far a long command is; a script sees results alone."""

from __future__ import annotations

import io

import pytest

from services.cli.progress import advancing


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("error", "output", "drawn"),
    [
        (Terminal(), io.StringIO(), True),
        (io.StringIO(), io.StringIO(), False),
        (Terminal(), Terminal(), False),  # the lines of the result would run into it
    ],
)
def test_progress_is_drawn_for_a_person_alone(
    monkeypatch: pytest.MonkeyPatch, error: io.StringIO, output: io.StringIO, drawn: bool
) -> None:
    monkeypatch.setattr("sys.stderr", error)
    monkeypatch.setattr("sys.stdout", output)
    monkeypatch.setenv("TERM", "xterm")
    with advancing("export", 3) as advance:
        for _ in range(3):
            advance()
    assert ("3/3" in error.getvalue()) is drawn
    assert output.getvalue() == ""
