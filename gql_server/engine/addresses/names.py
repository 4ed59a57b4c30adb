"""Kernels that mask names.

Letters and digits become x, and so does all that is no ASCII punctuation, for names of people and devices come in
every alphabet. Lengths, dots and compression pointers stay.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import overwrite
from gql_server.engine.addresses.layout import BY_POLICY
from gql_server.engine.compilation import Bytes, State, kernel
from gql_server.engine.memory import load8

_MASK: Final = 0x78
_POINTER: Final = 0xC0
_LONGEST_LABEL: Final = 63


@kernel
def _is_punctuation(letter: int) -> bool:
    if 0x20 <= letter <= 0x2F or 0x3A <= letter <= 0x40:  # noqa: PLR2004  # before and behind the digits
        return True
    return 0x5B <= letter <= 0x60 or 0x7B <= letter <= 0x7E  # noqa: PLR2004  # behind the letters


@kernel
def mask_text(b: Bytes, s: State, at: int, end: int, wet: bool) -> None:
    """Mask a text; NUL ends and pads texts of fixed length."""
    for i in range(at, end):
        letter = load8(b, i)
        if letter != 0 and not _is_punctuation(letter):
            overwrite(b, s, i, _MASK, BY_POLICY, wet)


@kernel
def after_name(b: Bytes, at: int, end: int) -> int:
    """Return where a domain name ends, or -1 (RFC 1035 section 4.1.4)."""
    while at < end:
        length = load8(b, at)
        if length == 0:
            return at + 1
        if length >= _POINTER:
            return at + 2 if at + 2 <= end else -1
        if length > _LONGEST_LABEL:
            return -1
        at += 1 + length
    return -1


@kernel
def mask_name(b: Bytes, s: State, at: int, end: int, wet: bool) -> int:
    """Mask a domain name and return where it ends, or -1 when it does not; then nothing is masked."""
    stop = after_name(b, at, end)
    while at < stop:
        length = load8(b, at)
        if length == 0 or length >= _POINTER:
            break
        mask_text(b, s, at + 1, at + 1 + length, wet)
        at += 1 + length
    return stop


@kernel
def mask_strings(b: Bytes, s: State, at: int, end: int, count: int, wet: bool) -> int:
    """Mask up to `count` character strings, each behind its length; return where they end, or -1."""
    while count > 0 and at < end:
        stop = at + 1 + load8(b, at)
        if stop > end:
            return -1
        mask_text(b, s, at + 1, stop, wet)
        at = stop
        count -= 1
    return at
