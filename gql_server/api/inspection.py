"""What is inside a trace: who spoke with whom, and how much."""

from typing import Annotated, Self

import strawberry

from gql_server.api.context import Info
from gql_server.api.enums import InspectionOrder, ProtocolBasis
from gql_server.api.fields import field
from gql_server.api.paging import After, Before, First, Last, page_request
from gql_server.api.row_paging import Connection, RowPage
from gql_server.api.scalars import PacketTime, SafeInt
from gql_server.domain import inspection, traces
from gql_server.domain.access import Actor
from gql_server.services import inspection as services
from gql_server.services.resources import Resources

DEFAULT_PREFIX4 = 24
DEFAULT_PREFIX6 = 64

OrderBy = Annotated[InspectionOrder, strawberry.argument(description="What comes first.")]
PrefixLength4 = Annotated[int, strawberry.argument(description="How long IPv4 prefixes are, 0 to 32.")]
PrefixLength6 = Annotated[int, strawberry.argument(description="How long IPv6 prefixes are, 0 to 128.")]


@strawberry.type(description="The packets of one 5-tuple, both ways, by the outermost IP header of each.")
class Conversation:
    """A conversation."""

    key: str = strawberry.field(description="What names it to `packets(conversation:)`, in this trace for good.")
    protocol: str = strawberry.field(description="The name of the IP protocol, such as TCP.")
    protocol_number: int = strawberry.field(description="Its number.")
    initiator_address: str = strawberry.field(description="The address that sent the first packet in the trace.")
    initiator_port: int | None = strawberry.field(description="Its port; null without one, as in later fragments.")
    responder_address: str = strawberry.field(description="The other address.")
    responder_port: int | None = strawberry.field(description="Its port.")
    packets: SafeInt = strawberry.field(description="Packets both ways.")
    bytes: SafeInt = strawberry.field(description="Their bytes on the wire.")
    packets_from_initiator: SafeInt = strawberry.field(description="Packets that the initiator sent.")
    bytes_from_initiator: SafeInt = strawberry.field(description="Their bytes on the wire.")
    packets_from_responder: SafeInt = strawberry.field(description="Packets that the responder sent.")
    bytes_from_responder: SafeInt = strawberry.field(description="Their bytes on the wire.")
    first_packet_at: PacketTime | None = strawberry.field(description="The earliest time of a packet.")
    last_packet_at: PacketTime | None = strawberry.field(description="The latest time of a packet.")

    @classmethod
    def of(cls, row: inspection.Conversation) -> Self:
        """Show a row."""
        return cls(
            key=str(row.key),
            protocol=row.protocol_name,
            protocol_number=row.protocol,
            initiator_address=str(row.initiator),
            initiator_port=row.initiator_port,
            responder_address=str(row.responder),
            responder_port=row.responder_port,
            packets=SafeInt(row.packets_sent + row.packets_received),
            bytes=SafeInt(row.bytes_sent + row.bytes_received),
            packets_from_initiator=SafeInt(row.packets_sent),
            bytes_from_initiator=SafeInt(row.bytes_sent),
            packets_from_responder=SafeInt(row.packets_received),
            bytes_from_responder=SafeInt(row.bytes_received),
            first_packet_at=None if row.first_time_ns is None else PacketTime(row.first_time_ns),
            last_packet_at=None if row.last_time_ns is None else PacketTime(row.last_time_ns),
        )


@strawberry.type(description="An IP address with what it sent and received, by the outermost IP headers.")
class Talker:
    """A talker."""

    address: str = strawberry.field(description="The address.")
    packets_sent: SafeInt = strawberry.field(description="Packets from it.")
    bytes_sent: SafeInt = strawberry.field(description="Their bytes on the wire.")
    packets_received: SafeInt = strawberry.field(description="Packets to it.")
    bytes_received: SafeInt = strawberry.field(description="Their bytes on the wire.")

    @classmethod
    def of(cls, row: inspection.Talker) -> Self:
        """Show a row."""
        return cls(
            address=str(row.address),
            packets_sent=SafeInt(row.packets_sent),
            bytes_sent=SafeInt(row.bytes_sent),
            packets_received=SafeInt(row.packets_received),
            bytes_received=SafeInt(row.bytes_received),
        )


@strawberry.type(description="An IP address at a MAC address; all that lies behind a router is one entry.")
class IpMacPair:
    """A pair."""

    address: str | None = strawberry.field(description="The address; null for all addresses behind a router.")
    mac: str = strawberry.field(description="The MAC address.")
    vendor: str | None = strawberry.field(description="Whose block the MAC address is from, where that is known.")
    is_router: bool = strawberry.field(
        description=(
            "Whether the MAC address is a router's: it advertises itself, is a virtual router's, or stands for "
            "addresses of four or more subnets that were never claimed for it by ARP or neighbor discovery."
        )
    )
    addresses: int = strawberry.field(description="How many addresses the entry stands for.")
    packets_sent: SafeInt = strawberry.field(description="Packets from the address with this MAC address.")
    packets_received: SafeInt = strawberry.field(description="Packets to the address with this MAC address.")
    claims: SafeInt = strawberry.field(description="Messages of ARP and neighbor discovery that say so.")

    @classmethod
    def of(cls, row: inspection.IpMacPair) -> Self:
        """Show a row."""
        return cls(
            address=None if row.address is None else str(row.address),
            mac=row.mac,
            vendor=row.vendor,
            is_router=row.is_router,
            addresses=row.addresses,
            packets_sent=SafeInt(row.packets_sent),
            packets_received=SafeInt(row.packets_received),
            claims=SafeInt(row.claims),
        )


@strawberry.type(description="The unicast addresses of a prefix; a packet between two of them is sent and received.")
class Subnet:
    """A subnet."""

    prefix: str = strawberry.field(description="The prefix, as CIDR.")
    addresses: int = strawberry.field(description="How many of its addresses were seen.")
    packets_sent: SafeInt = strawberry.field(description="Packets from them.")
    bytes_sent: SafeInt = strawberry.field(description="Their bytes on the wire.")
    packets_received: SafeInt = strawberry.field(description="Packets to them.")
    bytes_received: SafeInt = strawberry.field(description="Their bytes on the wire.")

    @classmethod
    def of(cls, row: inspection.Subnet) -> Self:
        """Show a row."""
        return cls(
            prefix=str(row.prefix),
            addresses=row.addresses,
            packets_sent=SafeInt(row.packets_sent),
            bytes_sent=SafeInt(row.bytes_sent),
            packets_received=SafeInt(row.packets_received),
            bytes_received=SafeInt(row.bytes_received),
        )


@strawberry.type(description="A protocol and the packets that hold it, tunnels looked into; a packet counts once each.")
class ProtocolCount:
    """A protocol."""

    name: str = strawberry.field(description="What it is called, such as IPV4, VLAN, DNS or ETHERTYPE_0X88B5.")
    basis: ProtocolBasis = strawberry.field(description="By what it was told.")
    packets: SafeInt = strawberry.field(description="Packets that hold it.")
    bytes: SafeInt = strawberry.field(description="Their bytes on the wire.")

    @classmethod
    def of(cls, row: inspection.ProtocolCount) -> Self:
        """Show a row."""
        return cls(name=row.name, basis=row.basis, packets=SafeInt(row.packets), bytes=SafeInt(row.bytes))


@strawberry.type
class InspectedTrace:
    """The fields of a trace that tell what is inside."""

    row: strawberry.Private[traces.Trace]

    @field("Who spoke with whom; null once the trace is deleted.")
    async def conversations(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        order_by: OrderBy = InspectionOrder.BYTES,
    ) -> Connection[Conversation] | None:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        rows = RowPage(page=page, order=order_by, name=f"{self.row.id}/conversations")
        found = await services.list_conversations(*_who(info), self.row.id, rows.request())
        return rows.connection(found, Conversation.of)

    @field("Which addresses sent and received how much; null once the trace is deleted.")
    async def talkers(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        order_by: OrderBy = InspectionOrder.BYTES,
    ) -> Connection[Talker] | None:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        rows = RowPage(page=page, order=order_by, name=f"{self.row.id}/talkers")
        found = await services.list_talkers(*_who(info), self.row.id, rows.request())
        return rows.connection(found, Talker.of)

    @field("Which IP address stands at which MAC address, the most packets first; null once the trace is deleted.")
    async def ip_mac_pairs(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[IpMacPair] | None:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        rows = RowPage(page=page, order=InspectionOrder.PACKETS, name=f"{self.row.id}/pairs")
        found = await services.list_pairs(*_who(info), self.row.id, rows.request())
        return rows.connection(found, IpMacPair.of)

    @field("The talkers, summed up by prefix; null once the trace is deleted.")
    async def subnets(
        self,
        info: Info,
        *,
        prefix_length4: PrefixLength4 = DEFAULT_PREFIX4,
        prefix_length6: PrefixLength6 = DEFAULT_PREFIX6,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        order_by: OrderBy = InspectionOrder.BYTES,
    ) -> Connection[Subnet] | None:
        """Sum them up."""
        page = page_request(first=first, after=after, last=last, before=before)
        rows = RowPage(page=page, order=order_by, name=f"{self.row.id}/{prefix_length4}/{prefix_length6}")
        found = await services.list_subnets(
            *_who(info), self.row.id, rows.request(), prefix_length4=prefix_length4, prefix_length6=prefix_length6
        )
        return rows.connection(found, Subnet.of)

    @field("Which protocols its packets hold; null once the trace is deleted.")
    async def protocols(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        order_by: OrderBy = InspectionOrder.BYTES,
    ) -> Connection[ProtocolCount] | None:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        rows = RowPage(page=page, order=order_by, name=f"{self.row.id}/protocols")
        found = await services.list_protocols(*_who(info), self.row.id, rows.request())
        return rows.connection(found, ProtocolCount.of)


def _who(info: Info) -> tuple[Resources, Actor]:
    return info.context.resources, info.context.actor
