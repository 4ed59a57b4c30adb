from dataclasses import asdict

from gql_server.domain.packets import (
    ByteRange,
    DissectedField,
    DissectedLayer,
    DissectedPacket,
    FieldChange,
    PacketComparison,
)
from gql_server.engine.packet_messages import decode_comparison, decode_packet

PACKET = DissectedPacket(
    number=1,
    time_ns=None,
    link_type=1,
    captured_length=3,
    original_length=4,
    summary="three bytes",
    layers=(
        DissectedLayer(name="Empty", offset=None, length=None, fields=(), is_cut=True),
        DissectedLayer(
            name="Raw",
            offset=0,
            length=3,
            fields=(DissectedField(name="load", value="010203", meaning=None),),
            is_cut=False,
        ),
    ),
    data="010203",
)
COMPARISON = PacketComparison(
    before=PACKET,
    after=PACKET,
    fields=(FieldChange(path="1.Raw.load", before="01", after=None),),
    ranges=(ByteRange(offset=1, length=2),),
    is_complete=True,
)


def test_what_was_taken_apart_for_json_is_put_together_again() -> None:
    assert decode_packet(asdict(PACKET)) == PACKET
    assert decode_comparison(asdict(COMPARISON)) == COMPARISON
