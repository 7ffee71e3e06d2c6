"""Keys: each with its one algorithm, from a file or an address, and never from what a token says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from services.api import development, keys
from services.api.tokens import (
    MAX_KEY_SET,
    KeyFile,
    KeySet,
    RemoteKeySet,
    Revoked,
    Trust,
    Unauthenticated,
    public_key,
    shared_secret,
)
from services.api.watched import Watched
from services.keyring import UnsafeKey
from services.settings import ApiSettings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
ISSUER = "https://issuer.example"
RSA = rsa.generate_private_key(65_537, 2048)
OTHER = rsa.generate_private_key(65_537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


def key_set(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"keys": entries}).encode()


async def proven(trust: Trust, token: str) -> bool:
    try:
        return (await trust.caller(token, NOW)).subject == "officer-7"
    except Unauthenticated:
        return False


@pytest.fixture
def signed(token: Callable[..., str]) -> Callable[..., str]:
    def sign(key: Any, kid: str | None = None, algorithm: str | None = None, **claims: Any) -> str:
        message = algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
        return token(key=key, algorithm=message, headers={"kid": kid} if kid else {}, **claims)

    return sign


async def test_a_key_set_has_a_key_for_each_id(signed: Any) -> None:
    result = KeySet.parse(key_set(jwk(RSA, "r"), jwk(EC, "e", use="sig"), jwk(OTHER, "x", use="enc")))
    trust = Trust(ISSUER, "visabus", result)
    assert await proven(trust, signed(RSA, "r"))
    assert await proven(trust, signed(EC, "e"))
    assert not await proven(trust, signed(OTHER, "r"))  # another's signature
    assert not await proven(trust, signed(OTHER, "x"))  # a key for encryption
    assert not await proven(trust, signed(RSA, "e"))
    assert not await proven(trust, signed(RSA, "unknown"))
    assert not await proven(trust, signed(RSA))
    assert not await proven(trust, signed(RSA, "r", "PS256"))
    assert not await proven(trust, signed(RSA, "r", "RS512"))


async def test_a_public_key_is_no_shared_secret(signed: Any, token: Any) -> None:
    trust = Trust(ISSUER, "visabus", public_key(PEM))
    assert await proven(trust, signed(RSA))
    # the classic confusion: HS256 with the public key as the secret. PyJWT refuses to sign so; do it by hand
    body = token().split(".")[1]
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"at+jwt"}').decode()
    signing = f"{header}.{body}".encode()
    forged = jwt.utils.base64url_encode(
        jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signing, PEM)
    )
    assert not await proven(trust, f"{signing.decode()}.{forged.decode()}")
    # and the other way round: a token signed by a private key where a secret is believed
    assert not await proven(Trust(ISSUER, "visabus", shared_secret(PEM)), signed(RSA))


async def test_only_the_clients_of_the_list(token: Any) -> None:
    secret = b"s" * 32
    trust = Trust(ISSUER, "visabus", shared_secret(secret), frozenset({"portal"}))
    assert await proven(trust, token(key=secret))
    assert await proven(trust, token(key=secret, azp=None, client_id="portal"))
    assert not await proven(trust, token(key=secret, azp="other"))
    assert not await proven(trust, token(key=secret, azp="other", client_id="portal"))
    assert await proven(trust, token(key=secret, aud=["elsewhere", "visabus"]))


async def test_times_have_a_small_leeway(token: Any) -> None:
    secret = b"s" * 32
    trust = Trust(ISSUER, "visabus", shared_secret(secret))
    assert await proven(trust, token(key=secret, exp=NOW - 29, nbf=NOW + 29))
    assert not await proven(trust, token(key=secret, iat=None))
    assert not await proven(trust, token(key=secret, exp=NOW - 30))
    assert not await proven(trust, token(key=secret, nbf=NOW + 31))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"keys": 1}',
        key_set(),
        key_set({"kty": "oct", "k": "c2VjcmV0", "kid": "a"}),
        key_set({"kty": "RSA", "kid": "a"}),
        key_set({"kty": "RSA", "kid": "a", "alg": "HS256"}),
        key_set(jwk(RSA, "a", alg="RS512")),
    ],
)
def test_no_key_set(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"key|JSON"):
        KeySet.parse(data)


def test_no_key() -> None:
    with pytest.raises(ValueError, match="PEM"):
        public_key(b"nonsense")
    with pytest.raises(ValueError, match="32"):
        shared_secret(b"short")
    with pytest.raises(ValueError, match="https"):
        RemoteKeySet("http://issuer.example/keys", httpx.AsyncClient())


class Issuer:
    """An address that serves a key set, or does not."""

    def __init__(self) -> None:
        self.data = key_set(jwk(RSA, "r"))
        self.status = 200
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, content=self.data)

    def keys(self, **more: float) -> RemoteKeySet:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return RemoteKeySet("https://issuer.example/keys", client, **more)


async def test_made_up_ids_do_not_hammer_the_issuer(signed: Any) -> None:
    issuer = Issuer()
    trust = Trust(ISSUER, "visabus", issuer.keys())
    assert await proven(trust, signed(RSA, "r"))
    for number in range(50):
        assert not await proven(trust, signed(OTHER, f"made-up-{number}"))
    assert issuer.asked == 1


async def test_a_new_key_is_fetched_once_the_pause_is_over(signed: Any) -> None:
    issuer = Issuer()
    trust = Trust(ISSUER, "visabus", issuer.keys(pause=0))
    assert await proven(trust, signed(RSA, "r"))
    issuer.data = key_set(jwk(RSA, "r"), jwk(OTHER, "new"))
    assert await proven(trust, signed(OTHER, "new"))
    assert issuer.asked == 2


async def test_an_issuer_that_is_down_leaves_the_keys_in_force_for_a_while(signed: Any) -> None:
    issuer = Issuer()
    trust = Trust(ISSUER, "visabus", issuer.keys(pause=0, fresh=0))
    assert await proven(trust, signed(RSA, "r"))
    issuer.status = 500
    assert await proven(trust, signed(RSA, "r"))
    issuer.status, issuer.data = 200, b"x" * (MAX_KEY_SET + 1)
    assert await proven(trust, signed(RSA, "r"))
    assert issuer.asked >= 3
    short = Trust(ISSUER, "visabus", issuer.keys(pause=0, keep=0))
    assert not await proven(short, signed(RSA, "r"))


def test_a_local_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    first = keys.token_key(directory)
    assert keys.token_key(directory) == first
    path = directory / keys.TOKENS
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in directory.iterdir() if file.name.startswith(".")] == []
    path.chmod(0o644)
    with pytest.raises(UnsafeKey, match="chmod"):
        keys.token_key(directory)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(UnsafeKey, match="32 bytes"):
        keys.token_key(directory)


async def test_tokens_of_the_installation(tmp_path: Path) -> None:
    api = ApiSettings()
    made = development.token(
        api,
        tmp_path,
        subject="developer",
        client="visabus-cli",
        scopes=["status:read"],
        purposes=["admission"],
        now=datetime.fromtimestamp(NOW, UTC),
        ttl=60,
    )
    trust = development.trust_of(api, tmp_path)
    caller = await trust.caller(made, NOW)
    assert (caller.subject, caller.scopes, caller.purposes) == ("developer", {"status:read"}, {"admission"})
    with pytest.raises(Unauthenticated, match="expired"):
        await trust.caller(made, NOW + 90)
    with pytest.raises(Unauthenticated, match="signature"):
        await development.trust_of(api, tmp_path / "elsewhere").caller(made, NOW)


# --- how long, which kind, and whether it was revoked -----------------------------------------------------------------


async def code(trust: Trust, token: str) -> str:
    """Why a token is refused; "" if it is believed."""
    try:
        await trust.caller(token, NOW)
    except Unauthenticated as error:
        return error.code
    return ""


async def test_no_token_lives_longer_than_the_longest(token: Any) -> None:
    secret = b"s" * 32
    trust = Trust(ISSUER, "visabus", shared_secret(secret), longest=3_600)
    assert await code(trust, token(key=secret, iat=NOW - 10, exp=NOW + 3_590)) == ""
    long = token(key=secret, iat=NOW - 10, exp=NOW + 3_591)
    assert await code(trust, long) == "too-long-lived"
    assert await code(replace(trust, longest=10**9), long) == ""  # planted: no limit


async def test_the_kind_of_token_is_asked(token: Any) -> None:
    secret = b"s" * 32
    trust = Trust(ISSUER, "visabus", shared_secret(secret))
    widened = replace(trust, types=frozenset({"at+jwt", "jwt", ""}))
    for kind, refused in (
        ("at+jwt", ""),
        ("AT+JWT", ""),
        ("application/at+jwt", ""),
        ("JWT", "type"),
        (None, "type"),
        ("id+jwt", "type"),
        ("dpop+jwt", "type"),
    ):
        made = token(key=secret, headers={"typ": kind})
        assert await code(trust, made) == refused, kind
        if kind is None or kind == "JWT":  # how an issuer of before is believed: by a setting
            assert await code(widened, made) == ""


async def test_a_revoked_token_is_not_believed_from_the_moment_the_file_says_so(token: Any, tmp_path: Path) -> None:
    secret, now = b"s" * 32, [0.0]
    file = tmp_path / "revoked"
    file.write_text("# by whom and why\n")
    watched = Watched(file, Revoked.parse, clock=lambda: now[0])
    trust = Trust(ISSUER, "visabus", shared_secret(secret), revoked=watched.get)
    one, other = (token(key=secret, jti=each) for each in ("one", "other"))
    assert [await code(trust, each) for each in (one, other)] == ["", ""]
    file.write_text("# by whom and why\none\n")
    assert await code(trust, one) == "", "looked at once a second"
    now[0] += 1
    assert [await code(trust, each) for each in (one, other)] == ["revoked", ""]
    assert await code(replace(trust, revoked=Revoked), one) == ""  # planted: nobody asks the list
    nameless = token(key=secret)
    caller = await trust.caller(nameless, NOW)
    file.write_text(f"{caller.token}\n")  # as the audit log names it
    now[0] += 1
    assert [await code(trust, each) for each in (one, nameless)] == ["", "revoked"]
    file.write_text("sub:officer-7\n")
    now[0] += 1
    assert [await code(trust, each) for each in (one, other)] == ["revoked", "revoked"]


async def test_a_file_that_breaks_leaves_the_last_word_in_force(
    token: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    file = tmp_path / "revoked"
    file.write_text("one\n")
    watched = Watched(file, Revoked.parse, clock=lambda: now[0])
    for broken in (b"\xff\xfe", b"x" * 1_000):
        file.write_bytes(broken)
        now[0] += 1
        for _ in range(3):
            assert watched.get().tokens == {"one"}
            now[0] += 1
    file.unlink()
    for _ in range(3):
        now[0] += 1
        assert watched.get().tokens == {"one"}
    assert (capsys.readouterr().out + caplog.text).count("stays in force") == 3, "told once for each change"
    file.write_text("two\n")
    now[0] += 1
    assert watched.get().tokens == {"two"}


@pytest.mark.parametrize("as_pem", [True, False], ids=["rs_public_key", "jwks"])
async def test_a_key_file_is_read_again_when_it_changes(signed: Any, tmp_path: Path, as_pem: bool) -> None:
    def content(key: Any) -> bytes:
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_key().public_bytes(*form) if as_pem else key_set(jwk(key, "r"))

    file = tmp_path / "keys"
    file.write_bytes(content(RSA))
    keys_ = KeyFile(file, public_key if as_pem else KeySet.parse)
    keys_._file._clock = lambda: now[0]  # type: ignore[attr-defined]
    now = [1e9]
    trust = Trust(ISSUER, "visabus", keys_)
    assert await proven(trust, signed(RSA, "r"))
    fresh = tmp_path / "fresh"
    fresh.write_bytes(content(OTHER))
    fresh.rename(file)
    now[0] += 1
    assert not await proven(trust, signed(RSA, "r"))
    assert await proven(trust, signed(OTHER, "r"))


def test_weak_keys_are_refused_in_words() -> None:
    weak = rsa.generate_private_key(65_537, 1_024)  # noqa: S505  # weak on purpose
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    with pytest.raises(ValueError, match="1024 bits; 2048"):
        public_key(weak.public_key().public_bytes(*form))
    with pytest.raises(ValueError, match="no RSA public key"):
        public_key(EC.public_key().public_bytes(*form))
    with pytest.raises(ValueError, match="1024 bits; 2048"):
        KeySet.parse(key_set(jwk(weak, "w")))
    for curve in (ec.SECP192R1(), ec.SECP256K1(), ec.SECP384R1()):
        with pytest.raises(ValueError, match="P-256"):
            KeySet.parse(key_set(jwk_of_curve(curve)))
    # a weak key takes no good one with it
    assert KeySet.parse(key_set(jwk(weak, "w"), jwk(RSA, "r")))._keys.keys() == {"r"}


def jwk_of_curve(curve: ec.EllipticCurve) -> dict[str, Any]:
    numbers = ec.generate_private_key(curve).public_key().public_numbers()
    size = (curve.key_size + 7) // 8
    name = {"secp192r1": "P-192", "secp256k1": "secp256k1", "secp384r1": "P-384"}[curve.name]
    x, y = (jwt.utils.base64url_encode(number.to_bytes(size, "big")).decode() for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": name, "x": x, "y": y, "kid": "e", "use": "sig"}
