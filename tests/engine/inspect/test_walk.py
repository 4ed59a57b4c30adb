from gql_server.engine.inspect.walk import LAYERS_MOST
from tests.captures import ethernet, ipv4, udp4, vlan
from tests.engine.inspect.surveying import find_in


def tagged(depth: int) -> bytes:
    packet = udp4()
    kind = 0x0800
    for _ in range(depth):
        packet, kind = vlan(packet, kind=kind), 0x8100
    return ethernet(packet, kind=kind)


def test_layers_are_walked_so_far_and_no_further() -> None:
    assert len(find_in(tagged(LAYERS_MOST - 3)).conversations) == 1
    assert find_in(tagged(LAYERS_MOST)).conversations == ()


def test_a_packet_of_nothing_but_tunnels_ends() -> None:
    packet = udp4()
    for _ in range(100):
        packet = ipv4(packet, 4)
    (row,) = find_in(ethernet(packet)).conversations
    assert row.protocol == 4
