"""Dissects packets for people to look at.

scapy takes them apart; nothing it makes is ever written into a capture. What it cannot take apart is shown as bytes,
and a packet on which it fails or takes too long is shown as bytes altogether. What comes back is bounded: packets
that make many layers of little are cut and say so.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any, Final

from scapy.fields import ConditionalField, EnumField, FlagsField, MultiEnumField, MultipleTypeField
from scapy.packet import NoPayload, Packet, Raw

from gql_server.domain.packets import DissectedField, DissectedLayer, DissectedPacket
from gql_server.engine.inspect.locating import LocatedPacket, locate_packets
from gql_server.engine.inspect.names import protocol_name
from gql_server.engine.inspect.scapy_layers import root_of
from gql_server.engine.tasks import Dissected, DissectTask

PACKET_SECONDS: Final = 0.5
LAYERS_MOST: Final = 32
FIELDS_MOST: Final = 64
"""Of a layer."""
VALUE_CHARACTERS: Final = 200
SUMMARY_CHARACTERS: Final = 200
PACKET_CHARACTERS: Final = 5000
"""Of all layers and fields of a packet, as they are written in a message."""
_LAYER_CHARACTERS: Final = 120
_FIELD_CHARACTERS: Final = 50
"""What a message needs around them."""
_DEPTH: Final = 4
_ITEMS_MOST: Final = 16
_PROTOCOL_FIELDS: Final = frozenset({("IP", "proto"), ("IPv6", "nh")})


class _TooSlowError(Exception):
    """The packet is not worth more time."""


def dissect(task: DissectTask) -> Dissected:
    """Carry out a dissect task.

    Raises:
        CaptureError: the file is not what it was when it was stored.
    """
    located = locate_packets(task.source, first=task.first, last=task.last, conversation=task.conversation)
    return Dissected(packets=tuple(dissect_packet(packet, data_bytes=task.data_bytes) for packet in located))


def dissect_packet(packet: LocatedPacket, *, data_bytes: int) -> DissectedPacket:
    """Take one packet apart, as far as that goes."""
    summary, layers = _contained(packet, lambda: _take_apart(packet))
    return DissectedPacket(
        number=packet.number,
        time_ns=packet.time_ns,
        link_type=packet.link_type,
        captured_length=len(packet.data),
        original_length=packet.original_length,
        summary=summary,
        layers=layers,
        data=packet.data[:data_bytes].hex(),
    )


def _contained(
    packet: LocatedPacket, take_apart: Callable[[], tuple[str, tuple[DissectedLayer, ...]]]
) -> tuple[str, tuple[DissectedLayer, ...]]:
    """Fall back on bytes, whatever happens."""
    try:
        with _silence(), _time_limit(PACKET_SECONDS):
            return take_apart()
    except Exception:  # noqa: BLE001  # hostile bytes may raise anything, and what it says may quote them
        length = len(packet.data)
        return f"{length} bytes", (_bytes_layer(packet.data, 0, length),)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let nobody print: the standard output is the parent's."""
    with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
        yield


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Break off what takes more processor time than this."""

    def stop(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _take_apart(packet: LocatedPacket) -> tuple[str, tuple[DissectedLayer, ...]]:
    if not packet.data:
        return "0 bytes", ()
    root = root_of(packet.link_type, packet.data)(packet.data)
    layers: list[DissectedLayer] = []
    room, offset, placed = PACKET_CHARACTERS, 0, True
    layer: Packet = root
    while not isinstance(layer, NoPayload):
        header = _header(layer)
        if len(layers) == LAYERS_MOST - 1 or (layers and room < 0):
            layers.append(_bytes_layer(packet.data, offset, len(packet.data) - offset))
            break
        # Where bytes lie is only said as long as every layer so far is there, as it is.
        placed = placed and bool(header) and packet.data[offset : offset + len(header)] == header
        shown = _layer(layer, header, offset if placed else None, room)
        room -= _LAYER_CHARACTERS + sum(map(_weight, shown.fields))
        layers.append(shown)
        offset += len(header)
        layer = layer.payload
    return _printable(root.summary(), SUMMARY_CHARACTERS), tuple(layers)


def _header(layer: Packet) -> bytes:
    """Return a layer's own bytes as they were captured, none where scapy does not tell."""
    if isinstance(layer, Raw):
        return bytes(layer.load)
    if layer.raw_packet_cache:
        return bytes(layer.raw_packet_cache)
    whole, rest = bytes(layer.original), bytes(layer.payload.original)
    return whole[: len(whole) - len(rest)] if whole.endswith(rest) else b""


def _bytes_layer(data: bytes, offset: int, length: int) -> DissectedLayer:
    value = _hex(data[offset : offset + length])
    load = DissectedField(name="load", value=value, meaning=None)
    return DissectedLayer(name="Raw", offset=offset, length=length, fields=(load,), is_cut=False)


def _layer(layer: Packet, header: bytes, offset: int | None, room: int) -> DissectedLayer:
    length = None if offset is None else len(header)
    fields: list[DissectedField] = []
    cut = False
    for field in _fields(layer, "", 0):
        room -= 0 if field is None else _weight(field)
        if field is None or len(fields) == FIELDS_MOST or room < 0:
            cut = True
            break
        fields.append(field)
    return DissectedLayer(
        name=_printable(str(layer.name), VALUE_CHARACTERS),
        offset=offset,
        length=length,
        fields=tuple(fields),
        is_cut=cut,
    )


def _weight(field: DissectedField) -> int:
    """Return how much of a message a field takes."""
    text = f"{field.name}{field.value}{field.meaning}"
    return _FIELD_CHARACTERS + len(text) + text.count('"') + text.count("\\")


def _fields(layer: Packet, prefix: str, depth: int) -> Iterator[DissectedField | None]:
    """Give out the fields of a layer that are there, those of packets inside them by their path; None for the rest."""
    for described in layer.fields_desc:
        # What is cut off has a default in scapy, which is not what was captured.
        value = layer.fields.get(described.name)
        if value is None:
            continue
        name = f"{prefix}{described.name}"
        items = list(enumerate(value)) if isinstance(value, list) and depth < _DEPTH else []
        if isinstance(value, Packet) and depth < _DEPTH:
            yield from _fields(value, f"{name}.", depth + 1)
        elif any(isinstance(item, Packet) for _, item in items):
            for number, item in items[:_ITEMS_MOST]:
                if isinstance(item, Packet):
                    yield from _fields(item, f"{name}[{number}].", depth + 1)
            if len(items) > _ITEMS_MOST:
                yield None
        else:
            yield DissectedField(name=name, value=_text(value), meaning=_meaning(layer, described, value))


def _meaning(layer: Packet, described: Any, value: Any) -> str | None:
    """Say what a number stands for, by the field's own table."""
    if (layer.name, described.name) in _PROTOCOL_FIELDS and isinstance(value, int):
        return protocol_name(value)
    if isinstance(value, bytes) and value and not isinstance(layer, Raw):
        text = value.decode("ascii", "replace")
        return _printable(text, VALUE_CHARACTERS) if text.isascii() and text.isprintable() else None
    field: Any = described.fld if isinstance(described, ConditionalField) else described
    if isinstance(field, MultipleTypeField) or not isinstance(field, EnumField | MultiEnumField | FlagsField):
        return None
    said = _printable(str(field.i2repr(layer, value)), VALUE_CHARACTERS)
    return None if said in (_text(value), "") else said


def _text(value: Any) -> str:
    match value:
        case int() if not isinstance(value, bool):
            return str(int(value))
        case bytes() | bytearray():
            return _hex(bytes(value))
        case tuple():
            return _printable(" ".join(_text(item) for item in value if item is not None), VALUE_CHARACTERS)
        case list() | set():
            items = [_text(item) for item in list(value)[:_ITEMS_MOST]]
            return _printable(", ".join(items + ["..."] * (len(value) > _ITEMS_MOST)), VALUE_CHARACTERS)
        case Packet():
            return _hex(bytes(value.original))
        case _:
            return _printable(str(value), VALUE_CHARACTERS)


def _hex(data: bytes) -> str:
    shown = VALUE_CHARACTERS // 2
    return data[:shown].hex() + ("..." if len(data) > shown else "")


def _printable(text: str, limit: int) -> str:
    """Return text of printable ASCII, so that a line of it stays as long as it is."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "." for letter in text[: limit + 1])
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."
