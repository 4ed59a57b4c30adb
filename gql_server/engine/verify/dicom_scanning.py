"""The search for secrets in bytes and what they unpack to.

Letters count alike in either case. What is found packed is unpacked and searched again, three times at most: percent
(RFC 3986), base64 (RFC 4648), gzip (RFC 1952), zlib (RFC 1950), members of ZIP, and deflated bodies of HTTP.
"""

import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import numpy as np
from ahocorasick_rs import BytesAhoCorasick

from gql_server.domain.dicom_verification import SecretForm, SecretKind
from gql_server.engine.verify.dicom_secrets import Secrets

_SPACE: Final = 0x20
_ASCII: Final = 0x7F
"""Where what prints in ASCII begins and ends."""
_AT_ONCE: Final = 250_000
"""Patterns of one automaton."""
_BLOCK: Final = 1 << 12
_DEEPEST: Final = 3
_MOST_UNPACKED: Final = 8 << 20
_PRINTED: Final = bytes(x for x in range(256) if x in b"\0\t\r\n" or _SPACE <= x < _ASCII)
_CHANCE: Final = 6
"""Shorter secrets are met by chance where bytes are no text."""
_LONGEST_DAMAGED: Final = 1 << 16
_LONGEST_BASE64: Final = 1 << 20
_BASE64: Final = bytes(0x61 if (chr(x).isalnum() and x < _ASCII) or x in b"+/-_\r\n" else 0x2E for x in range(256))
"""Tells its alphabet, with line ends, from other bytes."""
_BASE64_RUN: Final = b"a" * 16
_WIDE: Final = bytes(0x61 if _SPACE <= x < _ASCII else 0 if x == 0 else 0x2E for x in range(256))
"""Tells what prints and zeros from other bytes."""
_WIDE_RUN: Final = re.compile(rb"\0a(?:\0a){2,}")
_LONGEST_LINE: Final = 1 << 12
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_ZLIB: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_GZIP: Final = b"\x1f\x8b\x08"
_ZIP: Final = b"PK\x03\x04"
_ZIP_HEADER: Final = 30
_BODY: Final = b"\r\n\r\n"
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_DIGITS: Final = frozenset(b"0123456789.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A secret in a buffer; of packed ones, the place of what was unpacked."""

    at: int
    end: int
    kind: SecretKind
    pattern: bytes
    form: SecretForm


class Scanner:
    """Automata over all secrets."""

    def __init__(self, secrets: Secrets) -> None:
        self._kinds = secrets.kinds
        patterns = list(secrets.kinds)
        self._parts = []
        for first in range(0, len(patterns), _AT_ONCE):
            some = patterns[first : first + _AT_ONCE]
            self._parts.append((some, BytesAhoCorasick(some)))
        self.unpacked = 0
        """Bytes that were unpacked."""

    def scan(self, data: bytes, *, packed: bool = True) -> Iterator[Hit]:
        """Yield every secret in data, with `packed` in what it unpacks to as well."""
        if not self._parts:
            return
        for begin, end in _spans(data):
            span = data[begin:end]
            yield from self._plain(span, begin, SecretForm.BYTES)
            yield from self._wide(span, begin)
            if packed:
                yield from self._packed(span, begin, 0, None)

    def _plain(self, data: bytes, base: int, form: SecretForm) -> Iterator[Hit]:
        lower = data.lower()
        for patterns, automaton in self._parts:
            for index, begin, end in automaton.find_matches_as_indexes(lower, overlapping=True):
                pattern = patterns[index]
                if pattern[:1].isdigit() and _is_in_number(lower, begin, end):
                    continue
                yield Hit(at=base + begin, end=base + end, kind=self._kinds[pattern], pattern=pattern, form=form)

    def _wide(self, data: bytes, base: int) -> Iterator[Hit]:
        """Search text of UTF-16 in either order: every second byte is zero."""
        classes = data.translate(_WIDE)
        if b"\0a\0a\0a" not in classes:
            return
        for match in _WIDE_RUN.finditer(classes):
            begin = match.start() - 1 if match.start() > 0 else match.start() + 1
            for hit in self._plain(data[begin : match.end() : 2], 0, SecretForm.BYTES):
                at, end = base + begin + 2 * hit.at, base + begin + 2 * hit.end - 1
                yield Hit(at=at, end=end, kind=hit.kind, pattern=hit.pattern, form=SecretForm.BYTES)

    def _packed(self, data: bytes, base: int, depth: int, outer: tuple[int, int, SecretForm] | None) -> Iterator[Hit]:
        """Search what data unpacks to; `outer` says where it was unpacked itself."""
        for form, begin, end, inner in _unpacked(data):
            self.unpacked += len(inner)
            place = outer or (base + begin, base + end, form)
            known = data[begin:end].lower() if form is SecretForm.PERCENT else b""
            for hit in (*self._plain(inner, 0, form), *self._wide(inner, 0)):
                if hit.pattern in known or (len(hit.pattern) < _CHANCE and not _is_text(inner)):
                    continue
                yield Hit(at=place[0], end=place[1], kind=hit.kind, pattern=hit.pattern, form=place[2])
            if depth + 1 < _DEEPEST:
                yield from self._packed(inner, 0, depth + 1, place)


def _is_text(data: bytes) -> bool:
    """Say whether most of what was unpacked prints: where it does not, short secrets are met by chance."""
    return 5 * len(data.translate(None, _PRINTED)) <= len(data)


def _is_in_number(data: bytes, begin: int, end: int) -> bool:
    """Say whether digits are part of a longer number: those meet by chance."""
    if any(byte > 0x39 or byte < 0x2E for byte in data[begin:end]):  # noqa: PLR2004  # anything but digits and points
        return False
    return data[begin - 1 : begin] in _NUMBER_BYTES or data[end : end + 1] in _NUMBER_BYTES


_NUMBER_BYTES: Final = frozenset(bytes([byte]) for byte in _DIGITS)


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the parts of data that are not zero, in whole blocks."""
    array = np.frombuffer(data, np.uint8)
    whole = len(array) // _BLOCK * _BLOCK
    lives = np.append(array[:whole].reshape(-1, _BLOCK).any(axis=1), array[whole:].any())
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lives, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2).tolist():
        yield begin * _BLOCK, min(end * _BLOCK, len(data))


def _unpacked(data: bytes) -> Iterator[tuple[SecretForm, int, int, bytes]]:
    """Yield what data unpacks to, with its place."""
    yield from _percent(data)
    yield from _base64(data)
    for at, bits in _members(data):
        inner = _inflated(data, at, bits)
        if inner:
            yield SecretForm.COMPRESSED, at, min(at + 32, len(data)), inner


def _percent(data: bytes) -> Iterator[tuple[SecretForm, int, int, bytes]]:
    done = 0
    for match in _PERCENT.finditer(data):
        begin, end = match.span()
        if begin < done:
            continue
        first, last = max(done, begin - _LONGEST_LINE), min(len(data), end + _LONGEST_LINE)
        while begin > first and _SPACE <= data[begin - 1] < _ASCII:
            begin -= 1
        while end < last and _SPACE <= data[end] < _ASCII:
            end += 1
        done = end
        yield SecretForm.PERCENT, begin, end, unquote_to_bytes(data[begin:end].replace(b"+", b" "))


def _base64(data: bytes) -> Iterator[tuple[SecretForm, int, int, bytes]]:
    classes = data.translate(_BASE64)
    begin = classes.find(_BASE64_RUN)
    while begin >= 0:
        end = classes.find(b".", begin)
        end = len(data) if end < 0 else end
        text = data[begin : min(end, begin + _LONGEST_BASE64)].translate(_URL_SAFE, b"\r\n")
        # What stands before it may belong to the alphabet too.
        for skipped in range(4):
            some = text[skipped : skipped + (len(text) - skipped) // 4 * 4]
            rest = text[skipped + len(some) :]
            if len(rest) > 1:
                some += rest + b"=" * (4 - len(rest))
            yield SecretForm.BASE64, begin, end, binascii.a2b_base64(some)
        begin = classes.find(_BASE64_RUN, end)


def _members(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where compressed members may begin, and how."""
    at = data.find(_GZIP)
    while at >= 0:
        yield at, zlib.MAX_WBITS | 16
        at = data.find(_GZIP, at + 1)
    for match in _ZLIB.finditer(data):
        yield match.start(), zlib.MAX_WBITS
    at = data.find(_ZIP)
    while at >= 0:
        header = data[at : at + _ZIP_HEADER]
        if len(header) == _ZIP_HEADER:
            names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            yield at + _ZIP_HEADER + names, -zlib.MAX_WBITS
        at = data.find(_ZIP, at + 1)
    at = data.find(_BODY)
    while at >= 0:
        if b"deflate" in data[max(at - (1 << 12), 0) : at].lower():
            yield at + len(_BODY), -zlib.MAX_WBITS
        at = data.find(_BODY, at + 1)


def _inflated(data: bytes, at: int, bits: int) -> bytes:
    """Return what a member unpacks to, as far as it is there."""
    reader, found, size = zlib.decompressobj(bits), [], 0
    rest = data[at : at + _MOST_UNPACKED]
    while rest and size < _MOST_UNPACKED and not reader.eof:
        before = reader.copy()
        try:
            found.append(reader.decompress(rest, 1 << 16))
        except zlib.error:
            found.append(_up_to_damage(before, rest))
            break
        size += len(found[-1])
        if not found[-1]:
            break
        rest = reader.unconsumed_tail
    return b"".join(found)


def _up_to_damage(reader: "zlib._Decompress", rest: bytes) -> bytes:
    """Return what comes before damage, which a whole piece would not give."""
    found = []
    try:
        for i in range(min(len(rest), _LONGEST_DAMAGED)):
            found.append(reader.decompress(rest[i : i + 1]))  # noqa: PERF401  # what came before an error stays
    except zlib.error:
        pass
    return b"".join(found)
