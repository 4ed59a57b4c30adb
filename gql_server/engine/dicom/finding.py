"""Which connections carry DICOM, by their content.

A stream whose first byte was captured begins with an association PDU (PS3.8 §9.3) or is no DICOM. One that was joined
in the middle is searched for a boundary. Ports count for nothing, except that they tell which TLS may hide DICOM.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gql_server.engine.dicom.boundaries import ASSOCIATE_RJ, HEADER, P_DATA, find_boundary, is_boundary, pdu_length
from gql_server.engine.dicom.sources import ByteStream, Duplex

TLS_PORTS: Final = frozenset({104, 2761, 2762, 11112})
"""acr-nema, dicom-iscl, dicom-tls and dicom in IANA's registry."""
_ALPN_WORDS: Final = (b"dicom", b"acr-nema")

_HANDSHAKE: Final = 22
_CONTENT_TYPES: Final = range(20, 25)
_MAJOR: Final = 3
_MOST_MINOR: Final = 4
_RECORD_HEADER: Final = 5
_LONGEST_RECORD: Final = (1 << 14) + 2048
_HELLOS: Final = (1, 2)
_ALPN: Final = 16
_SEARCHED: Final = 1 << 17
_CHAIN: Final = 3


class EncryptedSign(StrEnum):
    """Why TLS is taken for DICOM."""

    PORT = "PORT"
    """It uses a port of DICOM."""
    ALPN = "ALPN"
    """The client offers DICOM as application protocol (RFC 7301)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encrypted:
    """A TLS connection that probably carries DICOM."""

    sign: EncryptedSign


def find_begins(connection: Duplex) -> tuple[int | None, int | None] | Encrypted | None:
    """Return where the PDUs of both streams begin, None for one that has no boundary; or what else it is."""
    found = [_first_pdu(stream) for stream in connection.streams]
    if found[0] is None and found[1] is None:
        return _encrypted(connection)
    first, second = (_other_begin(s) if at is None else at for at, s in zip(found, connection.streams, strict=True))
    return first, second


def _first_pdu(stream: ByteStream) -> int | None:
    """Return where DICOM begins in a stream, if it surely is DICOM."""
    begin = stream.next_covered(0)
    if begin is None:
        return None
    kind = (stream.read(begin, 1) or b"\0")[0]
    if stream.starts_at_syn and begin == 0:
        return 0 if kind <= ASSOCIATE_RJ and pdu_length(stream, 0) is not None else None
    if is_boundary(stream, begin):
        return begin
    at = find_boundary(stream, begin + 1)
    if at is None:
        return None
    # A short PDU at the very end, behind something that is no PDU, is too little to go by.
    last = at + (pdu_length(stream, at) or 0) >= stream.end
    return None if last and stream.read(at, HEADER)[0] > P_DATA else at


def _other_begin(stream: ByteStream) -> int | None:
    """Return where PDUs begin in a stream whose other direction is DICOM."""
    begin = stream.next_covered(0)
    if begin is None or pdu_length(stream, begin) is not None:
        return begin
    return find_boundary(stream, begin + 1)


def _encrypted(connection: Duplex) -> Encrypted | None:
    known_port = not TLS_PORTS.isdisjoint((connection.client_port, connection.server_port))
    for stream in connection.streams:
        begin = stream.next_covered(0)
        if begin is None:
            continue
        head = stream.read(begin, 1 << 14)
        if known_port and (_is_hello(head) or ((not stream.starts_at_syn or begin > 0) and _has_records(head, stream))):
            return Encrypted(sign=EncryptedSign.PORT)
        if _is_hello(head) and any(
            word in name.lower() for name in _application_protocols(head) for word in _ALPN_WORDS
        ):
            return Encrypted(sign=EncryptedSign.ALPN)
    return None


def _record_length(data: bytes, at: int) -> int | None:
    """Return the bytes of a TLS record (RFC 8446 §5.1), None if there is none."""
    head = data[at : at + _RECORD_HEADER]
    if len(head) < _RECORD_HEADER or head[0] not in _CONTENT_TYPES or head[1] != _MAJOR or head[2] > _MOST_MINOR:
        return None
    length = int.from_bytes(head[3:], "big")
    return _RECORD_HEADER + length if 0 < length <= _LONGEST_RECORD else None


def _is_hello(data: bytes) -> bool:
    """Say whether a stream begins as TLS does, on either side."""
    length = _record_length(data, 0)
    return (
        length is not None and data[0] == _HANDSHAKE and len(data) > _RECORD_HEADER and data[_RECORD_HEADER] in _HELLOS
    )


def _has_records(head: bytes, stream: ByteStream) -> bool:
    """Say whether records follow each other somewhere near the beginning of what was captured."""
    begin = stream.next_covered(0) or 0
    data = stream.read(begin, _SEARCHED) if len(head) else head
    return any(_is_chain(data, at) for at in range(len(data)) if data[at] in _CONTENT_TYPES)


def _is_chain(data: bytes, at: int) -> bool:
    for _ in range(_CHAIN):
        length = _record_length(data, at)
        if length is None:
            return False
        at += length
    return True


def _application_protocols(hello: bytes) -> list[bytes]:
    """Return the protocols that a ClientHello offers (RFC 8446 §4.1.2, RFC 7301 §3.1); none where it is cut."""
    at = _RECORD_HEADER + 4 + 2 + 32
    at += 1 + (hello[at] if at < len(hello) else 0)
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + (hello[at] if at < len(hello) else 0)
    end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(hello)):
        kind, length = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
        if kind == _ALPN:
            return _names(hello[at + 6 : at + 4 + length])
        at += 4 + length
    return []


def _names(data: bytes) -> list[bytes]:
    names, at = [], 0
    while at < len(data):
        names.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return names
