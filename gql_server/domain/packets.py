"""Packets as people look at them: layers, fields, bytes."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

from gql_server.domain.errors import InvalidInput

_REASON = "take the key of a conversation as it is given"
_NO_PORT = "-"
_PROTOCOLS = 256
_PORTS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """Which conversation is meant, as text: protocol number, address and port of one end, then of the other."""

    protocol: int
    source: str
    source_port: int | None
    destination: str
    destination_port: int | None

    def __str__(self) -> str:
        ports = [_NO_PORT if port is None else str(port) for port in (self.source_port, self.destination_port)]
        return f"{self.protocol} {self.source} {ports[0]} {self.destination} {ports[1]}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as it was written.

        Raises:
            InvalidInput: the text is no key.
        """
        try:
            protocol, source, source_port, destination, destination_port = text.split(" ")
            found = cls(
                protocol=_number(protocol, _PROTOCOLS),
                source=str(ip_address(source)),
                source_port=None if source_port == _NO_PORT else _number(source_port, _PORTS),
                destination=str(ip_address(destination)),
                destination_port=None if destination_port == _NO_PORT else _number(destination_port, _PORTS),
            )
        except ValueError as error:
            raise InvalidInput(field="conversation", reason=_REASON) from error
        versions = {ip_address(found.source).version, ip_address(found.destination).version}
        if str(found) != text or len(versions) > 1 or (source_port == _NO_PORT) != (destination_port == _NO_PORT):
            raise InvalidInput(field="conversation", reason=_REASON)
        return found

    def turned(self) -> "ConversationKey":
        """Return the same conversation seen from the other end."""
        return ConversationKey(
            protocol=self.protocol,
            source=self.destination,
            source_port=self.destination_port,
            destination=self.source,
            destination_port=self.source_port,
        )


def _number(text: str, limit: int) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) >= limit:
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class DissectedField:
    """A field of a layer."""

    name: str
    value: str
    meaning: str | None
    """What the value stands for, where it is a known number or a set of flags; what bytes say, where they are text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DissectedLayer:
    """A layer of a packet."""

    name: str
    offset: int | None
    """Where its header begins in the packet; None where the bytes were put together from elsewhere."""
    length: int | None
    fields: tuple[DissectedField, ...]
    is_cut: bool
    """Whether fields were left out because there are too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DissectedPacket:
    """A packet, as far as it is understood."""

    number: int
    """From 1."""
    time_ns: int | None
    link_type: int
    captured_length: int
    original_length: int
    summary: str
    layers: tuple[DissectedLayer, ...]
    data: str
    """The first bytes, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field that is not what it was; None where it was not there."""

    path: str
    """The layer's place and name, and the field's name."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """Bytes of a packet."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketComparison:
    """A packet beside the one it came from."""

    before: DissectedPacket
    after: DissectedPacket
    fields: tuple[FieldChange, ...]
    ranges: tuple[ByteRange, ...]
    """Bytes that differ, from the front; the longer one's rest is a range too."""
    is_complete: bool
    """Whether every change is listed."""
