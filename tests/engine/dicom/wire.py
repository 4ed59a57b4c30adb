"""PDUs, commands and data sets as bytes, built after PS3.7 and PS3.8."""

import struct
from collections.abc import Iterable, Mapping, Sequence

VERIFICATION = "1.2.840.10008.1.1"
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"
LONG_FORM = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
UNDEFINED = 0xFFFFFFFF
NO_DATA_SET = 0x0101

RELEASE_RQ = bytes.fromhex("05000000000400000000")
RELEASE_RP = bytes.fromhex("06000000000400000000")
ABORT = bytes.fromhex("07000000000400000202")
REJECT = bytes.fromhex("03000000000400010107")


def pdu(kind: int, body: bytes, reserved: int = 0) -> bytes:
    return struct.pack(">BBI", kind, reserved, len(body)) + body


def item(kind: int, body: bytes, reserved: int = 0) -> bytes:
    return struct.pack(">BBH", kind, reserved, len(body)) + body


def counted(text: str | bytes) -> bytes:
    value = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(value)) + value


def user_information(*items: bytes) -> bytes:
    usual = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.826.0.1.3680043") + item(0x55, b"WIRE_TEST")
    return item(0x50, usual + b"".join(items))


def _association(kind: int, calling: str, called: str, items: bytes) -> bytes:
    titles = called.ljust(16).encode() + calling.ljust(16).encode()
    return pdu(kind, b"\0\1\0\0" + titles + bytes(32) + item(0x10, b"1.2.840.10008.3.1.1.1") + items)


def associate_rq(
    contexts: Mapping[int, tuple[str, Sequence[str]]], *more: bytes, calling: str = "MODALITY", called: str = "ARCHIVE"
) -> bytes:
    items = b""
    for number, (abstract, transfers) in contexts.items():
        subs = item(0x30, abstract.encode()) + b"".join(item(0x40, each.encode()) for each in transfers)
        items += item(0x20, bytes([number, 0, 0, 0]) + subs)
    return _association(1, calling, called, items + user_information(*more))


def associate_ac(
    contexts: Mapping[int, tuple[int, str]], *more: bytes, calling: str = "MODALITY", called: str = "ARCHIVE"
) -> bytes:
    items = b"".join(
        item(0x21, bytes([number, 0, result, 0]) + item(0x40, transfer.encode()))
        for number, (result, transfer) in contexts.items()
    )
    return _association(2, calling, called, items + user_information(*more))


def fragment(context: int, control: int, data: bytes) -> bytes:
    return struct.pack(">IBB", len(data) + 2, context, control) + data


def p_data(*fragments: bytes) -> bytes:
    return pdu(4, b"".join(fragments))


def fragments_of(context: int, data: bytes, size: int, *, command: bool = False) -> list[bytes]:
    pieces = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    bit = 1 if command else 0
    last = len(pieces) - 1
    return [fragment(context, bit | (2 if place == last else 0), piece) for place, piece in enumerate(pieces)]


def command(field: int, *, data: bool = False, uid: str = CT_STORAGE, more: bytes = b"") -> bytes:
    padded = uid.encode() + b"\0" * (len(uid) % 2)
    body = implicit(0x00000002, padded) + implicit(0x00000100, struct.pack("<H", field))
    body += implicit(0x00000110, b"\7\0") + implicit(0x00000800, struct.pack("<H", 1 if data else NO_DATA_SET)) + more
    return implicit(0x00000000, struct.pack("<I", len(body))) + body


def message(field: int, data: bytes | None = None, *, context: int = 1, size: int = 1 << 14) -> bytes:
    parts = fragments_of(context, command(field, data=data is not None), size, command=True)
    if data is not None:
        parts += fragments_of(context, data, size)
    return b"".join(p_data(part) for part in parts)


def implicit(tag: int, value: bytes, *, undefined: bool = False, big: bool = False) -> bytes:
    order = ">" if big else "<"
    length = UNDEFINED if undefined else len(value)
    return struct.pack(f"{order}HHI", tag >> 16, tag & 0xFFFF, length) + value


def explicit(tag: int, vr: str, value: bytes, *, undefined: bool = False, big: bool = False) -> bytes:
    order = ">" if big else "<"
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in LONG_FORM:
        return head + struct.pack(f"{order}HI", 0, UNDEFINED if undefined else len(value)) + value
    return head + struct.pack(f"{order}H", UNDEFINED & 0xFFFF if undefined else len(value)) + value


def items(*contents: bytes, undefined: bool = False, ended: bool = False) -> bytes:
    """Items of a sequence; `ended` adds the delimiter of an undefined length."""
    out = b""
    for content in contents:
        length = UNDEFINED if undefined else len(content)
        out += struct.pack("<HHI", 0xFFFE, 0xE000, length) + content
        out += struct.pack("<HHI", 0xFFFE, 0xE00D, 0) if undefined else b""
    return out + (struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if ended else b"")


def text_elements(pairs: Iterable[tuple[int, str, bytes]]) -> bytes:
    return b"".join(explicit(tag, vr, value) for tag, vr, value in pairs)
