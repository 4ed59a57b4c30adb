"""Inspection: what one pass over a trace found out about it."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Generic, TypeVar

from gql_server.domain.packets import ConversationKey

T = TypeVar("T")

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class ProtocolBasis(StrEnum):
    """By what a protocol was told."""

    HEADER = "HEADER"
    PORT = "PORT"


class InspectionOrder(StrEnum):
    """What comes first in a list."""

    BYTES = "BYTES"
    PACKETS = "PACKETS"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """A file that lies beside a capture."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Packets of one 5-tuple, either way; addresses are those of the outermost IP header.

    The initiator is the side that sent the first packet in the trace. Ports are None for protocols without them, and
    for packets that do not hold them: later fragments, and those cut short.
    """

    protocol: int
    protocol_name: str
    initiator: IPAddress
    initiator_port: int | None
    responder: IPAddress
    responder_port: int | None
    packets_sent: int
    """From the initiator."""
    bytes_sent: int
    packets_received: int
    """By the initiator."""
    bytes_received: int
    first_time_ns: int | None
    """None where no packet carries a time."""
    last_time_ns: int | None

    @property
    def key(self) -> ConversationKey:
        """What names it."""
        return ConversationKey(
            protocol=self.protocol,
            source=str(self.initiator),
            source_port=self.initiator_port,
            destination=str(self.responder),
            destination_port=self.responder_port,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Talker:
    """An address and what it sent and received; lengths are those on the wire."""

    address: IPAddress
    packets_sent: int
    bytes_sent: int
    packets_received: int
    bytes_received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IpMacPair:
    """An IP address at a MAC address; for what lies behind a router, the router alone."""

    address: IPAddress | None
    """None for the row that stands for all addresses behind a router."""
    mac: str
    vendor: str | None
    is_router: bool
    addresses: int
    """How many IP addresses the row stands for."""
    packets_sent: int
    packets_received: int
    claims: int
    """ARP and neighbor discovery messages that say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """The unicast addresses of one prefix; a packet between two of them counts as sent and as received."""

    prefix: IPNetwork
    addresses: int
    packets_sent: int
    bytes_sent: int
    packets_received: int
    bytes_received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolCount:
    """How many packets hold a protocol; a packet counts once under each."""

    name: str
    basis: ProtocolBasis
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRequest:
    """Which rows of a list that never changes are wanted, by number from 0."""

    size: int
    after: int | None = None
    before: int | None = None
    backward: bool = False
    order: InspectionOrder = InspectionOrder.BYTES

    def span(self, total: int) -> tuple[int, int]:
        """Return the first row wanted and the one after the last."""
        start = 0 if self.after is None else min(self.after + 1, total)
        stop = total if self.before is None else max(min(self.before, total), start)
        if self.backward:
            return max(start, stop - self.size), stop
        return start, min(stop, start + self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Generic[T]):
    """Rows of a list, from row `start` on."""

    items: tuple[T, ...]
    start: int
    total: int
    is_complete: bool
    """Whether every packet of the trace found its row; rows are exact either way."""
