"""Dissected packets as they cross from child to parent."""

from typing import Any

from gql_server.domain.packets import (
    ByteRange,
    DissectedField,
    DissectedLayer,
    DissectedPacket,
    FieldChange,
    PacketComparison,
)


def decode_packet(body: dict[str, Any]) -> DissectedPacket:
    """Read a packet back from what `dataclasses.asdict` made of it."""
    return DissectedPacket(**{**body, "layers": tuple(map(_decode_layer, body["layers"]))})


def decode_comparison(body: dict[str, Any]) -> PacketComparison:
    """Read a comparison back."""
    return PacketComparison(
        before=decode_packet(body["before"]),
        after=decode_packet(body["after"]),
        fields=tuple(FieldChange(**change) for change in body["fields"]),
        ranges=tuple(ByteRange(**place) for place in body["ranges"]),
        is_complete=body["is_complete"],
    )


def _decode_layer(body: dict[str, Any]) -> DissectedLayer:
    return DissectedLayer(**{**body, "fields": tuple(DissectedField(**field) for field in body["fields"])})
