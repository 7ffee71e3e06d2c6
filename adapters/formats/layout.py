"""A copybook at work: the bytes of one record to a dictionary and back.

A group is a dictionary, a table a list, text is stripped of the blanks behind it, a number an int, or a Decimal where
the picture has a point. Fillers are left out. Of fields that share storage (REDEFINES) the record says by some other
field which one is meant: `Choice`; without one the first is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from adapters.core import Unreadable
from adapters.formats import ebcdic
from adapters.formats.copybook import FLOATS, Item, Renames, Usage, parse
from adapters.formats.ebcdic import ENTERPRISE, Conventions
from adapters.formats.plan import Plan, plan_of

_EXACT = Context(prec=40)
"""Numbers have up to 31 digits; the default context rounds at 28."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the fields that share storage with a field is meant: by the value of a field before it, in a table the
    one of the same entry."""

    by: str
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that cannot be read; `offset` in bytes from the record's start.

    With `structural` it is not the field that is wrong, but where fields lie.
    """

    name: str
    offset: int
    data: bytes
    reason: str
    structural: bool = False

    def __str__(self) -> str:
        shown = self.data[:32].hex(" ") + (" ..." if len(self.data) > 32 else "")
        return f"{self.name} at byte {self.offset}: {self.reason} (hex {shown})"


class Undecodable(ValueError):
    """Some fields of a record cannot be read. `partial` is what could be, with `Unreadable` in place of the others."""

    def __init__(self, errors: list[FieldError], partial: dict[str, Any]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Seen:
    """One field as it lies in a record: its value, or what is wrong with it."""

    name: str
    offset: int
    data: bytes
    value: Any = None
    wrong: str | None = None


@dataclass(slots=True)
class _Reading:
    data: bytes
    errors: list[FieldError] = field(default_factory=list)
    scalars: dict[str, Any] = field(default_factory=dict)  # fields as last read, for choices and counts
    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # where fields lie, for other names
    seen: list[Seen] | None = None  # every field, for whoever looks at a record that cannot be read


def _has_zoned(item: Item) -> bool:
    """Whether a number of it is written in digits of its page."""
    own = item.picture is not None and item.picture.numeric and item.usage in (None, Usage.DISPLAY)
    return own or any(map(_has_zoned, item.children))


@dataclass(frozen=True, slots=True)
class Layout:
    """One record's layout. `page` is the code page of its text, `conventions` are those of its sender's compiler.

    Raises ValueError where zoned numbers would be read by another code than text.
    """

    record: Item
    page: str = "cp037"
    choices: Mapping[str, Choice] = field(default_factory=dict)
    conventions: Conventions = ENTERPRISE
    plan: Plan | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        zero = "0".encode(self.page)
        if (zero == b"0") is not self.conventions.ascii and _has_zoned(self.record):
            raise ValueError(
                f"page {self.page!r} has the digit 0 as hex {zero.hex()}, and conventions.ascii is "
                f"{self.conventions.ascii}: text and zoned digits would be read by different codes; give "
                f"conventions=Conventions(ascii={not self.conventions.ascii})"
            )
        plan = plan_of(self.record, self.page, self.choices, self._read) if not self.record.renames else None
        object.__setattr__(self, "plan", plan)

    @classmethod
    def of(
        cls,
        text: str,
        page: str = "cp037",
        choices: Mapping[str, Choice] | None = None,
        record: str | None = None,
        conventions: Conventions = ENTERPRISE,
    ) -> Layout:
        """The layout in a copybook's text: of its one record, or of the one that is named. Raises CopybookError."""
        return cls(parse(text, record), page, choices or {}, conventions)

    @property
    def length(self) -> int:
        """Bytes of the record, the greatest if they vary."""
        return self.record.size

    def decode(self, data: bytes) -> dict[str, Any]:
        """The record's fields. Raises Undecodable with every field that is wrong."""
        planned = self.plan.read(data) if self.plan is not None else None
        return planned if planned is not None else self.decode_by_field(data)

    def fits(self, data: bytes) -> bool:
        """Whether all of the record can be read: for whoever does not want to know why not."""
        if self.plan is not None:
            return self.plan.read(data) is not None
        try:
            self.decode_by_field(data)
        except Undecodable:
            return False
        return True

    def decode_by_field(self, data: bytes) -> dict[str, Any]:
        """The same without a plan."""
        reading = _Reading(data)
        fields, end = self._group(self.record, 0, reading)
        if end < len(data) and self._padded(data, end):
            end = len(data)
        for one in self.record.renames:
            self._rename(one, fields, reading)
        if not reading.errors and end < len(data):
            reading.errors.append(
                FieldError(self.record.name, end, data[end:], f"{len(data) - end} bytes too many", True)
            )
        if reading.errors:
            raise Undecodable(reading.errors, fields)
        return fields

    def _padded(self, data: bytes, end: int) -> bool:
        """Whether a record whose tables hold fewer entries than they may is filled up to its greatest length."""
        blank = " ".encode(self.page)
        return self.record.varies and len(data) == self.record.size and not data[end:].strip(blank + b"\0")

    def _rename(self, one: Renames, fields: dict[str, Any], reading: _Reading) -> None:
        """A field under its other name, or the text of several."""
        first, last = (reading.places.get(name) for name in (one.first, one.last))
        if first is None or last is None:
            return  # in the layout that was not chosen
        if one.first == one.last and one.first in reading.scalars:
            fields[one.name] = reading.scalars[one.first]
            return
        data = reading.data[first[0] : last[1]]
        try:
            fields[one.name] = self._text(data)
        except ValueError as error:
            reading.errors.append(FieldError(one.name, first[0], data, str(error)))
            fields[one.name] = None

    def inspect(self, data: bytes) -> list[Seen]:
        """Every field with its bytes, those that cannot be read among them. For people, not for reading files."""
        reading = _Reading(data, seen=[])
        self._group(self.record, 0, reading)
        return reading.seen or []

    def encode(self, fields: Mapping[str, Any]) -> bytes:
        """The record's bytes; what is absent is blank or zero. Raises ValueError for what does not fit."""
        return self._write_group(self.record, fields, {})

    def _group(self, group: Item, offset: int, reading: _Reading) -> tuple[dict[str, Any], int]:
        by_name: dict[str, Any] = {}
        for area, first, others in group.families:
            item = self._selected(first, others, offset, reading)
            if item is None:
                offset += area
                continue
            value, end = self._item(item, offset, reading)
            if self.record.renames:
                reading.places[item.name] = (offset, end)
            if item.name != "FILLER":
                by_name[item.name] = value
                if not isinstance(value, dict | list | Unreadable):
                    reading.scalars[item.name] = value
            offset = max(end, offset + area) if others else end
        return by_name, offset

    def _selected(self, first: Item, others: tuple[Item, ...], offset: int, reading: _Reading) -> Item | None:
        choice = self.choices.get(first.name)
        if choice is None:
            return first
        value = reading.scalars.get(choice.by)
        name = choice.groups.get(str(value))
        for item in (first, *others):
            if item.name == name:
                return item
        if value is not None:
            data = reading.data[offset : offset + 1]
            reading.errors.append(
                FieldError(choice.by, offset, data, f"{value!r} selects no layout of {first.name}", True)
            )
        return None

    def _item(self, item: Item, offset: int, reading: _Reading) -> tuple[Any, int]:
        if item.occurs is None:
            return self._one(item, offset, reading)
        count = item.occurs.most
        if item.occurs.depending is not None:
            message = reading.scalars.get(item.occurs.depending)
            if not isinstance(message, int) or not item.occurs.least <= message <= item.occurs.most:
                reason = (
                    f"{item.occurs.depending} is {message!r}, from {item.occurs.least} to {item.occurs.most} expected"
                )
                reading.errors.append(FieldError(item.name, offset, b"", reason, True))
                return [], offset
            count = message
        values: list[Any] = []
        start = offset
        for _ in range(count):
            value, offset = self._one(item, offset, reading)
            values.append(value)
        return values, start + item.total if self.conventions.tables == "fixed" else offset

    def _one(self, item: Item, offset: int, reading: _Reading) -> tuple[Any, int]:
        if item.picture is None:
            return self._group(item, offset, reading)
        end = offset + item.size
        data = reading.data[offset:end]
        if reading.seen is not None:
            reading.seen.append(self._seen(item, offset, data))
        if item.name == "FILLER" and len(data) == item.size:
            return None, end
        try:
            if len(data) < item.size:
                raise ValueError(f"{len(data)} of {item.size} bytes")
            return self._read(item, data), end
        except ValueError as error:
            wrong = FieldError(item.name, offset, data, str(error), structural=len(data) < item.size)
            reading.errors.append(wrong)
            return Unreadable(str(wrong)), end

    def _seen(self, item: Item, offset: int, data: bytes) -> Seen:
        try:
            if len(data) < item.size:
                raise ValueError(f"{len(data)} of {item.size} bytes")
            return Seen(item.name, offset, data, "" if item.name == "FILLER" else self._read(item, data))
        except ValueError as error:
            return Seen(item.name, offset, data, wrong=str(error))

    def _read(self, item: Item, data: bytes) -> str | int | float | Decimal | None:
        picture = item.picture
        if picture is None or not picture.numeric:
            return self._national(data) if picture is not None and picture.national else self._text(data)
        if item.usage in FLOATS:
            return ebcdic.read_float(data, self.conventions.floats)
        if self.conventions.blank_numbers and self._is_blank(item, data):
            return None
        value = self._digits(item, data, picture.width, signed=picture.signed)
        if picture.scale < 0:
            return int(value * 10**-picture.scale)
        return Decimal(value).scaleb(-picture.scale, _EXACT) if picture.scale else value

    def _is_blank(self, item: Item, data: bytes) -> bool:
        """Whether a number was never written: blanks. A binary number of those bytes is a number."""
        return item.usage not in (Usage.BINARY, Usage.NATIVE) and not data.strip(" ".encode(self.page))

    def _digits(self, item: Item, data: bytes, digits: int, *, signed: bool) -> int:
        minus = self.conventions.minus
        if item.usage is Usage.PACKED:
            return ebcdic.read_packed(data, digits, signed=signed, minus=minus)
        if item.usage is Usage.BINARY:
            return ebcdic.read_binary(data, digits, signed=signed)
        if item.usage is Usage.NATIVE:
            return ebcdic.read_native(data, self.conventions.native, signed=signed)
        if item.sign_separate:
            return self._read_separate(item, data)
        if self.conventions.ascii:
            return ebcdic.read_ascii_zoned(data, signed=signed, leading=item.sign_leading)
        return ebcdic.read_zoned(data, signed=signed, leading=item.sign_leading, minus=minus)

    def _national(self, data: bytes) -> str:
        """Text of two bytes a character (UTF-16, big-endian)."""
        text = data.decode("utf-16-be").rstrip(" \u3000\0")
        control = _CONTROL.search(text)
        if control is not None:
            raise ValueError(f"character {control.start()} is no character")
        return text

    def _text(self, data: bytes) -> str:
        # Programs fill what they never set with binary zeros as often as with blanks.
        text = data.decode(self.page).rstrip(" \0")
        control = _CONTROL.search(text)
        if control is not None:
            raise ValueError(f"byte {control.start()} is no character of {self.page}")
        return text

    def _read_separate(self, item: Item, data: bytes) -> int:
        sign, digits = (data[:1], data[1:]) if item.sign_leading else (data[-1:], data[:-1])
        mark = sign.decode(self.page)
        if mark not in "+-":
            raise ValueError(f"{mark!r} is no sign")
        read = ebcdic.read_ascii_zoned if self.conventions.ascii else ebcdic.read_zoned
        value = read(digits, signed=False)
        return -value if mark == "-" else value

    def _write_group(self, group: Item, fields: Mapping[str, Any], scalars: dict[str, Any]) -> bytes:
        out = b""
        for area, first, others in group.families:
            item = next((member for member in (first, *others) if member.name in fields), first)
            data = self._write_item(item, fields.get(item.name), scalars)
            if others:
                data += " ".encode(self.page) * (area - len(data))
            out += data
        return out

    def _write_item(self, item: Item, value: Any, scalars: dict[str, Any]) -> bytes:
        if item.occurs is None:
            scalars[item.name] = value
            return self._write_one(item, value, scalars)
        values = list(value or [])
        count = item.occurs.most if item.occurs.depending is None else int(scalars.get(item.occurs.depending) or 0)
        if len(values) > count:
            raise ValueError(f"{item.name}: {len(values)} entries, {count} told")
        values += [None] * (count - len(values))
        data = b"".join(self._write_one(item, each, scalars) for each in values)
        if self.conventions.tables == "fixed":
            data += " ".encode(self.page) * (item.total - len(data))
        return data

    def _write_one(self, item: Item, value: Any, scalars: dict[str, Any]) -> bytes:
        if item.picture is None:
            return self._write_group(item, value or {}, scalars)
        picture = item.picture
        if picture.national:
            data = str(value or "").encode("utf-16-be")
            return self._filled(item, data, " ".encode("utf-16-be"))
        if not picture.numeric:
            return self._filled(item, str(value or "").encode(self.page), " ".encode(self.page))
        try:
            if item.usage in FLOATS:
                return ebcdic.write_float(float(value or 0), item.size, self.conventions.floats)
            if value is None and self.conventions.blank_numbers and item.usage not in (Usage.BINARY, Usage.NATIVE):
                return " ".encode(self.page) * item.size
            scaled = Decimal(value or 0).scaleb(picture.scale, _EXACT)
            if scaled != scaled.to_integral_value():
                raise ValueError(f"{value} has more than {picture.scale} decimals")
            return self._write_number(item, int(scaled), picture.width, signed=picture.signed)
        except ValueError as error:
            raise ValueError(f"{item.name}: {error}") from None

    def _filled(self, item: Item, data: bytes, blank: bytes) -> bytes:
        if len(data) > item.size:
            raise ValueError(f"{item.name}: {len(data) // len(blank)} characters in {item.size // len(blank)}")
        return data + blank * ((item.size - len(data)) // len(blank))

    def _write_number(self, item: Item, number: int, digits: int, *, signed: bool) -> bytes:
        if item.usage is Usage.PACKED:
            return ebcdic.write_packed(number, digits, signed=signed)
        if item.usage is Usage.BINARY:
            return ebcdic.write_binary(number, digits, signed=signed)
        if item.usage is Usage.NATIVE:
            return ebcdic.write_native(number, digits, self.conventions.native, signed=signed)
        if item.sign_separate:
            sign = ("-" if number < 0 else "+").encode(self.page)
            plain = self._write_zoned(abs(number), digits, signed=False, leading=False)
            return sign + plain if item.sign_leading else plain + sign
        return self._write_zoned(number, digits, signed=signed, leading=item.sign_leading)

    def _write_zoned(self, number: int, digits: int, *, signed: bool, leading: bool) -> bytes:
        write = ebcdic.write_ascii_zoned if self.conventions.ascii else ebcdic.write_zoned
        return write(number, digits, signed=signed, leading=leading)
