"""Packets, taken apart for people to look at."""

from typing import Annotated, Self

import strawberry

from gql_server.api.context import Info
from gql_server.api.enums import InspectionOrder
from gql_server.api.errors import UserError, settle
from gql_server.api.fields import field
from gql_server.api.ids import GlobalId
from gql_server.api.paging import After, Before, First, Last, page_request
from gql_server.api.row_paging import Connection, RowPage
from gql_server.api.scalars import PacketTime, SafeInt
from gql_server.domain import packets
from gql_server.domain.ids import TraceId
from gql_server.domain.packets import ConversationKey
from gql_server.services import packets as services

OfConversation = Annotated[
    str | None, strawberry.argument(description="Only the packets of this conversation: its `key`.")
]
LookedAt = Annotated[GlobalId, strawberry.argument(description="The id of the trace.")]
DerivedTrace = Annotated[GlobalId, strawberry.argument(description="The id of a trace that was made from another.")]
Number = Annotated[SafeInt, strawberry.argument(description="The packet's number, from 1.")]


@strawberry.type(description="A field of a layer.")
class PacketField:
    """A field."""

    name: str = strawberry.field(description="Its name; of a part inside it, the path there, such as `an[0].rdata`.")
    value: str = strawberry.field(description="Its value as text; bytes in hexadecimal.")
    meaning: str | None = strawberry.field(
        description="What a known number or a set of flags stands for, or the text that the bytes are."
    )

    @classmethod
    def of(cls, row: packets.DissectedField) -> Self:
        """Show a field."""
        return cls(name=row.name, value=row.value, meaning=row.meaning)


@strawberry.type(description="A layer of a packet; `Raw` is what was not understood.")
class PacketLayer:
    """A layer."""

    name: str = strawberry.field(description="Its name.")
    offset: int | None = strawberry.field(description="The byte of the packet where it begins; null where none is it.")
    length: int | None = strawberry.field(description="How many bytes its header has.")
    fields: list[PacketField] = strawberry.field(description="Its fields, in their order.")
    is_cut: bool = strawberry.field(description="Whether fields were left out because there are too many.")

    @classmethod
    def of(cls, row: packets.DissectedLayer) -> Self:
        """Show a layer."""
        fields = [PacketField.of(each) for each in row.fields]
        return cls(name=row.name, offset=row.offset, length=row.length, fields=fields, is_cut=row.is_cut)


@strawberry.type(description="A packet.")
class Packet:
    """A packet."""

    number: SafeInt = strawberry.field(description="Its number in the trace, from 1.")
    time: PacketTime | None = strawberry.field(description="When it was captured; null where that is not said.")
    link_type: int = strawberry.field(description="The LINKTYPE_ value of its interface.")
    captured_length: int = strawberry.field(description="How many of its bytes are in the trace.")
    original_length: SafeInt = strawberry.field(description="How many bytes it had on the wire.")
    summary: str = strawberry.field(description="The packet in one line.")
    layers: list[PacketLayer] = strawberry.field(description="Its layers, from the link inwards.")
    hex: str = strawberry.field(
        description="Its bytes in hexadecimal: the first 1600 in a list of packets, 65536 in a comparison."
    )

    @classmethod
    def of(cls, row: packets.DissectedPacket) -> Self:
        """Show a packet."""
        return cls(
            number=SafeInt(row.number),
            time=None if row.time_ns is None else PacketTime(row.time_ns),
            link_type=row.link_type,
            captured_length=row.captured_length,
            original_length=SafeInt(row.original_length),
            summary=row.summary,
            layers=[PacketLayer.of(each) for each in row.layers],
            hex=row.data,
        )


@strawberry.type(description="A field that is not what it was.")
class PacketFieldChange:
    """A change."""

    path: str = strawberry.field(description="Number and name of the layer and name of the field: `1.IP.src`.")
    before: str | None = strawberry.field(description="What it was; null where there was none.")
    after: str | None = strawberry.field(description="What it is; null where there is none.")


@strawberry.type(description="Bytes of a packet.")
class ByteRange:
    """A range."""

    offset: int = strawberry.field(description="The first byte, from 0.")
    length: int = strawberry.field(description="How many bytes.")


@strawberry.type(description="A packet beside the one it came from.")
class PacketComparison:
    """Two packets."""

    before: Packet = strawberry.field(description="The packet of the trace that it was made from.")
    after: Packet = strawberry.field(description="The packet.")
    changed_fields: list[PacketFieldChange] = strawberry.field(description="The fields that differ.")
    changed_ranges: list[ByteRange] = strawberry.field(description="The bytes that differ, from the front.")
    is_complete: bool = strawberry.field(description="Whether there was room for every change.")

    @classmethod
    def of(cls, row: packets.PacketComparison) -> Self:
        """Show a comparison."""
        return cls(
            before=Packet.of(row.before),
            after=Packet.of(row.after),
            changed_fields=[PacketFieldChange(path=e.path, before=e.before, after=e.after) for e in row.fields],
            changed_ranges=[ByteRange(offset=each.offset, length=each.length) for each in row.ranges],
            is_complete=row.is_complete,
        )


@strawberry.type(description="What became of `packetComparison`.")
class PacketComparisonResult:
    """The outcome."""

    comparison: PacketComparison | None = strawberry.field(description="The two packets; null when there are not two.")
    errors: list[UserError] = strawberry.field(description="What kept it from being made; empty when it was.")


@strawberry.type
class PacketQueries:
    """Queries about packets."""

    @field("The packets of a trace in order, taken apart; null if there is no trace of this id that you may see.")
    async def packets(
        self,
        info: Info,
        *,
        trace_id: LookedAt,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        conversation: OfConversation = None,
    ) -> Connection[Packet] | None:
        """Ask a child process."""
        own = trace_id.of_or_none("Trace")
        page = page_request(first=first, after=after, last=last, before=before)
        key = None if conversation is None else ConversationKey.parse(conversation)
        rows = RowPage(page=page, order=InspectionOrder.BYTES, name=f"{own}/packets/{key}")
        wanted = rows.request()
        if own is None:
            return None
        context = info.context
        found = await services.list_packets(context.resources, context.actor, TraceId(own), wanted, conversation=key)
        return rows.connection(found, Packet.of)

    @field("A packet of a trace beside the packet of the same number in the trace that it was made from.")
    async def packet_comparison(self, info: Info, trace_id: DerivedTrace, number: Number) -> PacketComparisonResult:
        """Ask a child process."""

        async def compare() -> packets.PacketComparison:
            return await services.compare_packets(
                info.context.resources, info.context.actor, trace_id=TraceId(trace_id.of("Trace")), number=number
            )

        found, errors = await settle(info.context, compare)
        return PacketComparisonResult(comparison=None if found is None else PacketComparison.of(found), errors=errors)
