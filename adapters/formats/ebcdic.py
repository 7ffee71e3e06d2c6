"""Numbers as mainframes keep them: zoned, packed, binary. Bytes to digits and back, nothing guessed.

Source: IBM Enterprise COBOL for z/OS, Language Reference, USAGE and SIGN clauses, and the Principles of Operation on
decimal data: sign codes A, C, E, F are plus, B and D minus; C and D are preferred, F stands in unsigned numbers.
"""

from __future__ import annotations

import re

PLUS = frozenset({0xA, 0xC, 0xE, 0xF})
MINUS = frozenset({0xB, 0xD})
_DIGITS = re.compile(rb"[\xf0-\xf9]+")
_ASCII = bytes(range(0x40)) * 3 + bytes(range(0x30)) + b"0123456789" + bytes(6)


def packed_size(digits: int) -> int:
    """Bytes of a COMP-3 number: two digits a byte, and a half for the sign."""
    return digits // 2 + 1


def binary_size(digits: int) -> int:
    """Bytes of a COMP number. Raises ValueError beyond 18 digits."""
    if digits > 18:
        raise ValueError(f"a binary number of {digits} digits, at most 18")
    return 2 if digits <= 4 else 4 if digits <= 9 else 8


def read_zoned(data: bytes, *, signed: bool, leading: bool = False) -> int:
    """One digit a byte; the sign, if there is one, in the zone of the last (or first) byte. Raises ValueError."""
    if _DIGITS.fullmatch(data):  # all there is in most files
        return int(data.translate(_ASCII))
    place = 0 if leading else len(data) - 1
    digits: list[str] = []
    negative = False
    for index, byte in enumerate(data):
        zone, digit = byte >> 4, byte & 0xF
        if digit > 9:
            raise ValueError(f"byte {index} holds no digit")
        if zone != 0xF:
            if not signed or index != place or zone not in PLUS | MINUS:
                raise ValueError(f"byte {index} holds no digit")
            negative = zone in MINUS
        digits.append(str(digit))
    value = int("".join(digits))
    return -value if negative else value


def write_zoned(value: int, digits: int, *, signed: bool, leading: bool = False) -> bytes:
    """The reverse of `read_zoned`. Raises ValueError if it does not fit."""
    text = _fit(value, digits, signed=signed)
    data = bytearray(0xF0 | int(char) for char in text)
    if signed:
        place = 0 if leading else -1
        data[place] = (0xD0 if value < 0 else 0xC0) | (data[place] & 0xF)
    return bytes(data)


def read_packed(data: bytes, digits: int, *, signed: bool) -> int:
    """COMP-3. Raises ValueError."""
    text = data.hex()
    if text[-1] in "cf" and text[:-1].isdecimal() and len(text) - 1 == digits:  # all there is in most files
        return int(text[:-1])
    halves = [int(char, 16) for char in text]
    sign = halves.pop()
    if sign not in PLUS | MINUS:
        raise ValueError(f"sign half-byte {sign:X} is no sign")
    if sign in MINUS and not signed:
        raise ValueError("a minus in an unsigned number")
    for index, half in enumerate(halves):
        if half > 9:
            raise ValueError(f"half-byte {index} ({half:X}) is no digit")
    if len(halves) > digits and halves[0] != 0:
        raise ValueError(f"more than {digits} digits")
    value = int("".join(map(str, halves)))
    return -value if sign in MINUS else value


def write_packed(value: int, digits: int, *, signed: bool) -> bytes:
    """The reverse of `read_packed`. Raises ValueError if it does not fit."""
    text = _fit(value, digits, signed=signed).zfill(packed_size(digits) * 2 - 1)
    sign = ("D" if value < 0 else "C") if signed else "F"
    return bytes.fromhex(text + sign)


def read_binary(data: bytes, digits: int, *, signed: bool) -> int:
    """COMP: big-endian, two's complement if signed. Raises ValueError beyond the picture's digits."""
    value = int.from_bytes(data, "big", signed=signed)
    if len(str(abs(value))) > digits:
        raise ValueError(f"{value} has more than {digits} digits")
    return value


def write_binary(value: int, digits: int, *, signed: bool) -> bytes:
    """The reverse of `read_binary`. Raises ValueError if it does not fit."""
    _fit(value, digits, signed=signed)
    return value.to_bytes(binary_size(digits), "big", signed=signed)


def _fit(value: int, digits: int, *, signed: bool) -> str:
    text = str(abs(value))
    if value < 0 and not signed:
        raise ValueError(f"{value} in an unsigned number")
    if len(text) > digits:
        raise ValueError(f"{value} has more than {digits} digits")
    return text.zfill(digits)
