from tests.captures import IP_C, IP_D, ethernet, ipv4, udp4
from tests.engine.inspect.surveying import find_in


def test_a_layer_that_comes_again_counts_once_a_packet() -> None:
    nested = ipv4(ipv4(ipv4(udp4(source=IP_C, destination=IP_D), 4), 4), 4)
    found = find_in(ethernet(nested), ethernet(nested))
    assert {name: (each.packets, each.bytes) for name, each in found.protocols.items()} == {
        name: (2, 2 * len(ethernet(nested))) for name in ("ETHERNET", "IPV4", "UDP")
    }


def test_protocols_of_different_packets_add_up() -> None:
    found = find_in(ethernet(udp4()), ethernet(udp4(bytes(500))), ethernet(bytes(50), kind=0x88CC))
    assert found.protocols["ETHERNET"].packets == 3
    assert found.protocols["UDP"].bytes == len(ethernet(udp4())) + len(ethernet(udp4(bytes(500))))
    assert found.protocols["LLDP"].packets == 1
