"""Key files: made once for their owner alone, refused where others can read them, changed without a break."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from links.private_file import CREDENTIALS, UnsafeFile, check_private, read_private
from services.keyring import Keyring, UnsafeKey, held, key_id, ring, rotate


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        first = ring(tmp_path / "data" / "seal.key")
    finally:
        os.umask(mask)
    assert ring(tmp_path / "data" / "seal.key") == first
    assert ring(tmp_path / "data" / "other.key") != first
    made = [tmp_path / "data", *(tmp_path / "data").iterdir()]
    assert [oct(path.stat().st_mode & 0o777) for path in made] == ["0o700", "0o600", "0o600"]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o602, 0o610, 0o777])
def test_what_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "seal.key"
    ring(path)
    path.chmod(mode)
    with pytest.raises(UnsafeKey, match=f"chmod 600 {path}"):
        held(path)
    with pytest.raises(UnsafeFile, match="chmod 600"):
        check_private(path)
    path.chmod(0o400)
    assert held(path)


def test_what_is_no_key_is_refused_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    for text in ("", "# nothing\n", "short\n", "0" * 63 + "\n", "0" * 64 + "\nä\n"):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(UnsafeKey, match="32 bytes"):
            ring(path)
        assert path.read_text() == text
    with pytest.raises(UnsafeKey, match="no file"):
        held(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(UnsafeKey, match="no file"):
        held(tmp_path / "pipe")


def test_the_mode_of_a_link_is_that_of_its_file(tmp_path: Path) -> None:
    ring(tmp_path / "real.key")
    (tmp_path / "seal.key").symlink_to("real.key")
    assert held(tmp_path / "seal.key")
    (tmp_path / "real.key").chmod(0o644)
    with pytest.raises(UnsafeKey, match="chmod 600"):
        held(tmp_path / "seal.key")


def test_a_credential_of_systemd_may_show_the_mask_of_its_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "seal"
    path.write_text("secret")
    path.chmod(0o440)
    with pytest.raises(UnsafeFile):
        read_private(path)
    monkeypatch.setenv(CREDENTIALS, str(tmp_path))
    assert read_private(path) == b"secret"
    path.chmod(0o444)
    with pytest.raises(UnsafeFile):
        read_private(path)


def test_what_an_old_key_made_stands_after_the_change(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    old = ring(path)
    new = rotate(path)
    assert [*new.keys] == [old.id, new.id]
    assert old.id != new.id
    assert path.stat().st_mode & 0o777 == 0o600
    assert new.holds(old.id, b"data", old.mac(b"data"))
    assert new.macs(b"data") == [new.mac(b"data"), old.mac(b"data")]
    assert not old.holds(new.id, b"data", new.mac(b"data"))
    assert not new.holds(new.id, b"data", old.mac(b"data"))
    assert not new.holds(old.id, b"other", old.mac(b"data"))


def test_nothing_of_a_key_is_shown() -> None:
    key = b"k" * 32
    assert "kkk" not in repr(Keyring.of(key))
    assert key_id(key) not in key.hex()
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring.of(b"short")


async def test_keys_that_libraries_read_are_looked_at_as_well(tmp_path: Path) -> None:
    """Of client certificates, and of users of SFTP."""
    from adapters.core import SourceDown
    from adapters.transports.sftp_session import Address, _keys
    from links.reasons import Unusable
    from links.tls import Tls

    key = tmp_path / "client.key"
    key.write_text("no key at all")
    key.chmod(0o640)
    with pytest.raises(Unusable, match="chmod 600"):
        Tls(cert=str(key), key=str(key)).context()
    with pytest.raises(SourceDown, match="chmod 600"):
        await _keys(str(key), Address("host", 22, "/", "user"))
    key.chmod(0o600)
    with pytest.raises(SourceDown, match="cannot be opened"):
        await _keys(str(key), Address("host", 22, "/", "user"))
