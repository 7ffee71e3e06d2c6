"""Text that was encoded twice: UTF-8 read as Windows-1252, or as Latin-1, and written as UTF-8 again."""

from __future__ import annotations


def encoded_once(text: str) -> str:
    """The text as it was meant: `JosÃ©` is José. Any other text as it is."""
    for _ in range(2):  # some have been through it twice
        if text.isascii():
            break
        try:
            text = b"".join(map(_byte, text)).decode()
        except ValueError:
            break
    return text


def _byte(char: str) -> bytes:
    """The byte that Windows-1252 reads as this; five bytes that it has no character for are kept as they are."""
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return char.encode("latin-1")
