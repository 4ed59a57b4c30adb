"""Planted values, searched for in every encoding.

A capture is searched as a file, stream by stream, object by object, and in what gzip, zlib and deflate members of
these unpack to.
"""

import base64
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ahocorasick_rs import BytesAhoCorasick

from tests.dicom.planting import Kind, Oracle, Planted
from tests.dicom.reading import connections_in
from tests.dicom.rereading import reread

_LEAST: Final = 4
"""Shorter words would be found by chance."""
_UNPACKED: Final = 1 << 24
_MEMBERS: Final = ((b"\x1f\x8b\x08", 31), *((bytes((0x78, level)), 15) for level in (0x01, 0x5E, 0x9C, 0xDA)))
"""How a gzip or zlib member begins, and the window that zlib wants to be told."""
_ENCODINGS: Final = ("latin-1", "utf-8", "gb18030", "iso2022_jp", "shift_jis", "euc_jp", "iso8859_7")


class Hit(NamedTuple):
    """A planted value that was found."""

    place: str
    """Where it was planted."""
    text: str
    form: str
    where: str


class Scanner:
    """Finds the values of an oracle; it is made once and used often."""

    def __init__(self, oracle: Iterable[Planted], *, without: frozenset[Kind] = frozenset()) -> None:
        needles: dict[bytes, tuple[Planted, str]] = {}
        for planted in oracle:
            if planted.kind not in without:
                for form, needle in forms_of(planted):
                    if len(needle) >= _LEAST:
                        needles.setdefault(needle.lower(), (planted, form))
        self._needles = list(needles.values())
        self._automaton = BytesAhoCorasick(list(needles))

    def find(self, data: bytes) -> list[Hit]:
        """Return what is found in a capture file, each value once for each form and kind of place."""
        found = {
            Hit(planted.place, planted.text, form, where)
            for where, haystack in haystacks_of(data)
            for planted, form in self._matches(haystack)
        }
        return sorted(found)

    def find_bytes(self, data: bytes) -> list[Hit]:
        """Return what is found in these bytes alone."""
        return sorted({Hit(planted.place, planted.text, form, "bytes") for planted, form in self._matches(data)})

    def _matches(self, haystack: bytes) -> Iterator[tuple[Planted, str]]:
        for index, _, _ in self._automaton.find_matches_as_indexes(haystack.lower(), overlapping=True):
            yield self._needles[index]


def forms_of(planted: Planted) -> Iterator[tuple[str, bytes]]:
    """Yield every form in which a value may stand; case is left to the search but where a digest of it counts."""
    yield "plain", planted.data
    plain = {planted.data}
    for encoding in _ENCODINGS:
        try:
            plain.add(planted.text.encode(encoding))
        except UnicodeEncodeError:
            continue
    for data in plain:
        yield "other character set", data
    for encoding in ("utf-16-le", "utf-16-be"):
        yield "UTF-16", planted.text.encode(encoding)
    if planted.text.isascii():
        plain |= {text.encode() for text in (planted.text.lower(), planted.text.upper(), planted.text.title())}
    for data in plain:
        yield "hexadecimal", data.hex().encode()
        yield "percent", b"".join(b"%%%02X" % byte for byte in data)
        for shift in range(3):
            yield "base64", _base64(data, shift)


def _base64(data: bytes, shift: int) -> bytes:
    """Return the digits that depend on these bytes alone, behind so many others."""
    digits = base64.b64encode(bytes(shift) + data)
    whole = (shift + len(data)) * 8 // 6
    return digits[(shift * 8 + 5) // 6 : whole]


def haystacks_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield everything to search in a capture file, and where it comes from."""
    yield from _with_members("file", data)
    for connection in connections_in(data):
        for stream in connection:
            yield from _with_members("stream", b"\0".join((stream.data, *stream.apart)))
        for message in reread(connection).messages:
            yield from _with_members("object", message.data)


def _with_members(where: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield where, data
    for begin, window in _MEMBERS:
        at = data.find(begin)
        while at >= 0:
            unpacked = _unpack(data[at:], window)
            if len(unpacked) >= _LEAST:
                yield f"{where}, unpacked", unpacked
            at = data.find(begin, at + 1)


def _unpack(data: bytes, window: int) -> bytes:
    """Unpack what can be unpacked: up to an error or an end."""
    unpacker, out = zlib.decompressobj(window), b""
    try:
        for at in range(0, len(data), 512):
            out += unpacker.decompress(data[at : at + 512], _UNPACKED)
            if unpacker.eof or len(out) >= _UNPACKED:
                break
    except zlib.error:
        return out
    return out


def missing(data: bytes, oracle: Oracle) -> list[str]:
    """Return the planted values that a scan does not find: of the input, there must be none."""
    found = {hit.text for hit in Scanner(oracle).find(data)}
    return sorted({f"{one.place}: {one.text}" for one in oracle if one.text not in found})
