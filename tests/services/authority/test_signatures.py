"""Signatures: by a key of the event's own system, over all that counts; keys come, go, and are kept from others."""

from __future__ import annotations

from binascii import b2a_base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sayings import NOW, arrival, status
from typer.testing import CliRunner

from bus.contract import Delivery, Message, Partition
from bus.events import message_of
from schemas.codec import Undecodable
from services.authority import Admission
from services.authority.keys import OVERLAP, KeyFiles, keys_in, make, path_of, rotate
from services.authority.signatures import SIGNATURE, NoKey, Signer, Verifier
from services.cli import app
from services.keyring import UnsafeKey


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for system in ("I94", "TECS"):
        make(tmp_path / "keys", system)
    return tmp_path / "keys"


def delivered(message: Message) -> Delivery:
    return Delivery(Partition(message.topic, 0), 0, message.key, message.value, message.headers)


def signed(directory: Path, system: str = "I94", at: datetime = NOW, message: Message | None = None) -> Message:
    signer = Signer(KeyFiles(directory), at.timestamp)
    return signer.signed(message or message_of(arrival(system=system)), system)


def why_not(directory: Path, message: Message, now: datetime = NOW) -> str | None:
    """Why a message is not taken; None if it is."""
    try:
        Admission(lambda: now, verifier=Verifier(KeyFiles(directory))).at().fact(delivered(message))
    except Undecodable as error:
        return str(error)
    return None


def test_what_its_own_ingest_signed_is_taken(directory: Path) -> None:
    assert why_not(directory, signed(directory)) is None
    assert why_not(directory, signed(directory, "TECS")) is None
    again = signed(directory, message=signed(directory))
    assert len([name for name, _ in again.headers if name == SIGNATURE]) == 1


def changed(message: Message, **parts: object) -> Message:
    values = {name: getattr(message, name) for name in ("topic", "key", "value", "headers")} | parts
    return Message(**values)


def resigned(message: Message, content: bytes) -> Message:
    return changed(message, headers=(*(each for each in message.headers if each[0] != SIGNATURE), (SIGNATURE, content)))


@pytest.mark.law(9, "a signature is of the event's own system, over topic, key, time and the exact value")
def test_what_was_touched_or_signed_by_another_is_refused(directory: Path, tmp_path: Path) -> None:
    good = signed(directory)
    content = dict(good.headers)[SIGNATURE]
    name, at, code = content.split()
    foreign = make(tmp_path / "elsewhere", "I94").id.encode()
    reasons = {
        why_not(directory, message)
        for message in (
            changed(good, value=(good.value or b"").replace(b"assert", b"retract")),
            changed(good, value=(good.value or b"") + b" "),
            changed(good, topic="visabus.departure"),
            changed(good, key=b"I94/T2"),
            changed(good, key=None),
            resigned(good, b"%b %d %b" % (name, int(at) + 1, code)),
            resigned(good, b"%b %b %b" % (name, at, b2a_base64(bytes(32), newline=False))),
            resigned(good, b"%b %b " % (name, at)),
        )
    }
    assert reasons == {"signature: wrong"}
    assert why_not(directory, message_of(arrival())) == "signature: missing"
    assert why_not(directory, changed(good, headers=(*good.headers, (SIGNATURE, content)))) == (
        "signature: more than one"
    )
    assert why_not(directory, resigned(good, b"%b %b %b" % (foreign, at, code))) == (
        "signature: by a key that is not known here"
    )
    for nonsense in (
        b"",
        b"a",
        b"a b c",
        b"\xff \xff \xff",
        b"%b %b %b x" % (name, at, code),
        b"%b x %b" % (name, code),
    ):
        assert (why_not(directory, resigned(good, nonsense)) or "").startswith("signature:")
    other = Signer(KeyFiles(directory), NOW.timestamp).signed(message_of(arrival()), "TECS")
    assert why_not(directory, other) == "signature: by the ingest of another system"
    assert why_not(directory, message_of(status("TECS", "encounter"))) == "signature: missing"


@pytest.mark.law(9, planted="an admission that takes a signature by any system for the event's own")
def test_an_admission_that_does_not_ask_whose_signature_it_is_is_caught(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Signer(KeyFiles(directory), NOW.timestamp).signed(message_of(arrival()), "TECS")
    monkeypatch.setattr("services.authority.admission.Judging._check_signer", lambda self, wire: None)
    assert why_not(directory, other) is None


def test_a_key_signs_in_its_time_and_stands_behind_what_it_signed(directory: Path) -> None:
    old = signed(directory)
    change = NOW + timedelta(days=1)
    first = keys_in(path_of(directory, "I94"))[0]
    second = rotate(directory, "I94", change)
    assert [key.id for key in keys_in(path_of(directory, "I94"))] == [first.id, second.id]
    assert path_of(directory, "I94").stat().st_mode & 0o777 == 0o600
    later = change + timedelta(days=400)
    assert why_not(directory, old, later) is None
    for at, key in ((NOW, first), (change - timedelta(seconds=1), first), (change, second), (later, second)):
        message = signed(directory, at=at)
        assert dict(message.headers)[SIGNATURE].startswith(key.id.encode())
        assert why_not(directory, message, later) is None
    assert why_not(directory, signed(directory, at=later)) == "signature: of a time that lies ahead"
    path = path_of(directory, "I94")
    path.write_text(first.line() + f" until={NOW.isoformat()}\n" + second.line() + "\n")
    assert why_not(directory, old, later) == "signature: at a time at which its key did not sign"
    assert timedelta(minutes=10) <= OVERLAP
    with pytest.raises(NoKey, match="visabus keys make I94"):
        signed(directory, at=NOW)
    with pytest.raises(NoKey, match="visabus keys make SEVIS"):
        signed(directory, "SEVIS")


def test_new_keys_are_met_while_a_process_runs(directory: Path) -> None:
    files = KeyFiles(directory)
    admission = Admission(lambda: NOW, verifier=Verifier(files))
    path_of(directory, "I94").unlink()
    make(directory, "I94")
    message = signed(directory)
    with pytest.raises(Undecodable, match="not known here"):
        admission.at().fact(delivered(message))
    files._refreshed -= 2  # as if a second had passed since the files were read
    assert admission.at().fact(delivered(message)).system == "I94"
    path_of(directory, "I94").chmod(0o644)
    files._refreshed -= 60
    assert not files.refresh()
    assert admission.at().fact(delivered(message)).system == "I94"


@pytest.mark.parametrize("text", ["", "# none\n", "12\n", "0" * 64 + " from=2026-01-01\n", "0" * 64 + " til=2026\n"])
def test_what_is_no_file_of_keys_is_refused_without_a_word_of_it(directory: Path, text: str) -> None:
    path = path_of(directory, "I94")
    path.write_text(text)
    with pytest.raises(UnsafeKey) as refusal:
        KeyFiles(directory)
    assert "000" not in str(refusal.value)


def test_keys_that_others_can_read_are_refused(directory: Path) -> None:
    path_of(directory, "TECS").chmod(0o640)
    with pytest.raises(UnsafeKey, match="chmod 600"):
        KeyFiles(directory)
    path_of(directory, "TECS").chmod(0o600)
    path_of(directory, "ELIS").write_bytes(path_of(directory, "TECS").read_bytes())
    path_of(directory, "ELIS").chmod(0o600)
    with pytest.raises(UnsafeKey, match="one key"):
        KeyFiles(directory)


def test_the_command_makes_rotates_and_lists_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = CliRunner().invoke
    assert run(app, ["keys", "make", "--all"]).exit_code == 2
    monkeypatch.setenv("VISABUS_SIGNING__KEYS", str(tmp_path / "keys"))
    assert run(app, ["keys", "list"]).exit_code == 1
    assert run(app, ["keys", "make"]).exit_code == 2
    assert run(app, ["keys", "make", "../x"]).exit_code == 2
    assert run(app, ["keys", "rotate", "I94"]).exit_code == 1
    assert run(app, ["keys", "make", "--all"]).exit_code == 0
    before = path_of(tmp_path / "keys", "I94").read_text()
    assert "visabus keys rotate I94" in run(app, ["keys", "make", "I94"]).output
    assert path_of(tmp_path / "keys", "I94").read_text() == before
    assert run(app, ["keys", "rotate", "I94", "--from", "2030-01-01T00:00:00+0000"]).exit_code == 0
    listed = run(app, ["keys", "list"])
    assert listed.exit_code == 0
    rows = [line.split() for line in listed.output.splitlines() if line.startswith("I94 ")]
    assert [row[2:] for row in rows] == [["until=2030-01-01T01:00:00+00:00"], ["from=2030-01-01T00:00:00+00:00"]]
    assert before.strip() not in listed.output
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert datetime.now(UTC) > NOW
