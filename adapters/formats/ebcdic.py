"""Numbers as mainframes keep them: zoned, packed, binary, floating. Bytes to digits and back, nothing guessed.

Source: IBM Enterprise COBOL for z/OS, Language Reference, USAGE and SIGN clauses, and the Principles of Operation on
decimal data: sign codes A, C, E, F are plus, B and D minus; C and D are preferred, F stands in unsigned numbers; and on
hexadecimal floating point: sign, excess-64 exponent of 16, fraction. Other compilers have other conventions, and a
number read by a wrong one is another number without any error: so they come from the sender, as `Conventions`.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from typing import Literal

PLUS = frozenset({0xA, 0xC, 0xE, 0xF})
MINUS = frozenset({0xB, 0xD})
_DIGITS = re.compile(rb"[\xf0-\xf9]+")
_ASCII = bytes(range(0x40)) * 3 + bytes(range(0x30)) + b"0123456789" + bytes(6)


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a sender's compiler does where the language leaves it open, or compilers differ.

    `minus`: sign half-bytes that are minus, of those that are signs. `ascii`: zoned digits are 30 to 39, negative ones
    70 to 79 (GnuCOBOL where it writes ASCII). `floats`: COMP-1 and COMP-2 as IBM's hexadecimal
    ones or as IEEE 754. `native`: the byte order of COMP-5. `tables`: whether what stands behind a table of a depending
    number of entries slides up to the last of them, or lies behind its greatest number. `blank_numbers`: whether a
    number whose digits are blanks, or a packed one that is blank, is absent and not wrong.
    """

    minus: frozenset[int] = MINUS
    ascii: bool = False
    floats: Literal["ibm", "ieee-big", "ieee-little"] = "ibm"
    native: Literal["big", "little"] = "big"
    tables: Literal["slide", "fixed"] = "slide"
    blank_numbers: bool = False


ENTERPRISE = Conventions()
"""IBM Enterprise COBOL for z/OS."""
GNU = Conventions(minus=frozenset({0xD}), floats="ieee-little", native="little", tables="fixed")
"""GnuCOBOL 3 on little-endian machines that writes EBCDIC: B is a plus, and nothing slides without `-fodoslide`."""


def packed_size(digits: int) -> int:
    """Bytes of a COMP-3 number: two digits a byte, and a half for the sign."""
    return digits // 2 + 1


def binary_size(digits: int) -> int:
    """Bytes of a COMP number. Raises ValueError beyond 18 digits."""
    if digits > 18:
        raise ValueError(f"a binary number of {digits} digits, at most 18")
    return 2 if digits <= 4 else 4 if digits <= 9 else 8


def read_zoned(data: bytes, *, signed: bool, leading: bool = False, minus: frozenset[int] = MINUS) -> int:
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
            negative = zone in minus
        digits.append(str(digit))
    value = int("".join(digits))
    return -value if negative else value


def read_ascii_zoned(data: bytes, *, signed: bool, leading: bool = False) -> int:
    """The same in ASCII: digits 30 to 39, the signed one 70 to 79 if it is negative. Raises ValueError."""
    place = 0 if leading else len(data) - 1
    negative = signed and data[place] >> 4 == 7
    digits = bytes([*data[:place], data[place] & 0x3F, *data[place + 1 :]]) if negative else data
    if not digits.isdigit():
        index = next(at for at, byte in enumerate(digits) if not 0x30 <= byte <= 0x39)
        raise ValueError(f"byte {index} holds no digit")
    return -int(digits) if negative else int(digits)


def write_zoned(value: int, digits: int, *, signed: bool, leading: bool = False) -> bytes:
    """The reverse of `read_zoned`. Raises ValueError if it does not fit."""
    text = _fit(value, digits, signed=signed)
    data = bytearray(0xF0 | int(char) for char in text)
    if signed:
        place = 0 if leading else -1
        data[place] = (0xD0 if value < 0 else 0xC0) | (data[place] & 0xF)
    return bytes(data)


def write_ascii_zoned(value: int, digits: int, *, signed: bool, leading: bool = False) -> bytes:
    """The reverse of `read_ascii_zoned`. Raises ValueError if it does not fit."""
    data = bytearray(_fit(value, digits, signed=signed).encode("ascii"))
    if signed and value < 0:
        data[0 if leading else -1] |= 0x40
    return bytes(data)


def read_packed(data: bytes, digits: int, *, signed: bool, minus: frozenset[int] = MINUS) -> int:
    """COMP-3. Raises ValueError."""
    text = data.hex()
    if text[-1] in "cf" and text[:-1].isdecimal() and len(text) - 1 == digits:  # all there is in most files
        return int(text[:-1])
    halves = [int(char, 16) for char in text]
    sign = halves.pop()
    if sign not in PLUS | MINUS:
        raise ValueError(f"sign half-byte {sign:X} is no sign")
    if sign in minus and not signed:
        raise ValueError("a minus in an unsigned number")
    for index, half in enumerate(halves):
        if half > 9:
            raise ValueError(f"half-byte {index} ({half:X}) is no digit")
    if len(halves) > digits and halves[0] != 0:
        raise ValueError(f"more than {digits} digits")
    value = int("".join(map(str, halves)))
    return -value if sign in minus else value


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


def read_native(data: bytes, order: Literal["big", "little"], *, signed: bool) -> int:
    """COMP-5: all values that its bytes have room for, whatever the picture's digits are."""
    return int.from_bytes(data, order, signed=signed)


def write_native(value: int, digits: int, order: Literal["big", "little"], *, signed: bool) -> bytes:
    """The reverse of `read_native`. Raises ValueError if it does not fit."""
    try:
        return value.to_bytes(binary_size(digits), order, signed=signed)
    except OverflowError:
        raise ValueError(f"{value} does not fit into {binary_size(digits)} bytes") from None


def read_float(data: bytes, kind: Literal["ibm", "ieee-big", "ieee-little"]) -> float:
    """COMP-1 (four bytes) or COMP-2 (eight). Raises ValueError for what is no number."""
    if kind == "ibm":
        fraction = int.from_bytes(data[1:], "big")
        value = math.ldexp(fraction, 4 * ((data[0] & 0x7F) - 64) - 8 * (len(data) - 1))
        return -value if data[0] & 0x80 else value
    mark = "<" if kind == "ieee-little" else ">"
    (number,) = struct.unpack(f"{mark}{'f' if len(data) == 4 else 'd'}", data)
    if not math.isfinite(number):
        raise ValueError("no finite number")
    return float(number)


def write_float(value: float, size: int, kind: Literal["ibm", "ieee-big", "ieee-little"]) -> bytes:
    """The reverse of `read_float`, to the nearest. Raises ValueError if it does not fit."""
    try:
        if kind != "ibm":
            return struct.pack(f"{'<' if kind == 'ieee-little' else '>'}{'f' if size == 4 else 'd'}", value)
        if value == 0:
            return bytes(size)
        bits = 8 * (size - 1)
        exponent = math.ceil(math.frexp(value)[1] / 4)
        if exponent < -64:
            return bytes(size)  # nearer to zero than any
        fraction = round(math.ldexp(abs(value), bits - 4 * exponent))
        if fraction == 1 << bits:
            fraction, exponent = fraction >> 4, exponent + 1
        head = exponent + 64
        if not 0 <= head < 128:
            raise OverflowError
        return bytes([head | (0x80 if value < 0 else 0)]) + fraction.to_bytes(size - 1, "big")
    except (OverflowError, struct.error):
        raise ValueError(f"{value} does not fit into {size} bytes") from None


def _fit(value: int, digits: int, *, signed: bool) -> str:
    text = str(abs(value))
    if value < 0 and not signed:
        raise ValueError(f"{value} in an unsigned number")
    if len(text) > digits:
        raise ValueError(f"{value} has more than {digits} digits")
    return text.zfill(digits)
