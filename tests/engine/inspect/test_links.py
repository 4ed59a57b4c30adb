import struct

import pytest

from tests.captures import IP_A, IP_B, MAC_A, MAC_B, arp, ethernet, mac_bytes, tcp4, udp4, udp6, vlan
from tests.engine.inspect.surveying import find_in

SLL = struct.pack(">HHH", 0, 1, 6) + mac_bytes(MAC_A) + bytes(2)
SLL2 = struct.pack(">HHIHBB", 0x0800, 0, 3, 1, 0, 6) + mac_bytes(MAC_A) + bytes(2)
SNAP = b"\xaa\xaa\x03\x00\x00\x00"
THIRD = "00:11:22:33:44:77"


def wifi(payload: bytes, *, flags: int = 1, control: int = 0x08, extra: bytes = b"") -> bytes:
    """Return an 802.11 frame; by default a data frame to the distribution system."""
    addresses = b"".join(mac_bytes(mac) for mac in (MAC_A, MAC_B, THIRD))
    return bytes([control, flags, 0, 0]) + addresses + b"\0\0" + extra + SNAP + b"\x08\x00" + payload


@pytest.mark.parametrize(
    ("packet", "layers"),
    [
        (ethernet(udp4()), set()),
        (ethernet(vlan(tcp4()), kind=0x8100), {"VLAN"}),
        (ethernet(vlan(vlan(tcp4()), kind=0x8100), kind=0x88A8), {"VLAN"}),
        (ethernet(vlan(udp6(), kind=0x86DD), kind=0x9100), {"VLAN"}),
        (ethernet(b"\0\0\x51\x40" + udp4(), kind=0x8847), {"MPLS"}),
        (ethernet(b"\0\0\x50\x40\0\0\x51\x40" + udp6(), kind=0x8848), {"MPLS"}),
        (ethernet(b"\0\0\x51\x40" + bytes(4) + ethernet(udp4()), kind=0x8847), {"MPLS"}),
        (ethernet(struct.pack(">BBHHH", 0x11, 0, 1, 99, 0x21) + udp4(), kind=0x8864), {"PPPOE"}),
        (ethernet(struct.pack(">BBHHH", 0x11, 0, 1, 99, 0x57) + udp6(), kind=0x8864), {"PPPOE"}),
        (ethernet(SNAP + b"\x08\x00" + udp4(), kind=8 + len(udp4())), {"LLC"}),
    ],
)
def test_ip_is_found_behind_what_lies_below_it(packet: bytes, layers: set[str]) -> None:
    found = find_in(packet)
    assert len(found.conversations) == 1
    assert found.names() - {"ETHERNET", "IPV4", "IPV6", "UDP", "TCP", "HTTP"} == layers
    assert all(each.packets == 1 for each in found.protocols.values())
    assert [(str(pair.address), pair.mac) for pair in found.pairs if pair.packets_sent] == [
        (str(found.conversations[0].initiator), MAC_A)
    ]


@pytest.mark.parametrize(
    ("packet", "link_type", "mac"),
    [
        (SLL + b"\x08\x00" + udp4(), 113, MAC_A),
        (SLL2 + udp4(), 276, MAC_A),
        (struct.pack(">HHHQ", 0, 1, 8, 1) + b"\x08\x00" + udp4(), 113, None),
        (udp4(), 101, None),
        (udp6(), 12, None),
        (udp4(), 228, None),
        (b"\x02\0\0\0" + udp4(), 0, None),
        (b"\0\0\0\x1e" + udp6(), 108, None),
        (bytes([0, 0, 10, 0, 0, 0, 0, 0, 0, 0]) + wifi(udp4()), 127, MAC_B),
        (wifi(udp4()), 105, MAC_B),
        (wifi(udp4(), flags=2), 105, THIRD),
        (wifi(udp4(), flags=0), 105, MAC_B),
        (wifi(udp4(), flags=3, extra=mac_bytes("00:11:22:33:44:88")), 105, "00:11:22:33:44:88"),
        (wifi(udp4(), control=0x88, extra=b"\0\0"), 105, MAC_B),
        (wifi(udp4(), control=0x88, flags=0x81, extra=b"\0\0\0\0\0\0"), 105, MAC_B),
    ],
)
def test_each_link_type_names_who_sent(packet: bytes, link_type: int, mac: str | None) -> None:
    found = find_in(packet, link_type=link_type)
    assert len(found.conversations) == 1
    assert [pair.mac for pair in found.pairs if pair.packets_sent] == ([mac] if mac else [])


@pytest.mark.parametrize(
    ("packet", "link_type", "names"),
    [
        (b"anything", 250, {"OTHER_LINK_TYPE"}),
        (wifi(udp4(), flags=0x41), 105, {"IEEE_802_11"}),
        (wifi(udp4(), control=0x88, extra=b"\x80\0"), 105, {"IEEE_802_11"}),
        (wifi(udp4(), control=0x48), 105, {"IEEE_802_11"}),
        (b"\x80" + bytes(40), 105, {"IEEE_802_11"}),
        (b"\0\0\xff\xff" + bytes(40), 127, {"RADIOTAP", "MALFORMED"}),
        (b"\x01\0\x08\0" + bytes(40), 127, {"RADIOTAP", "MALFORMED"}),
        (b"\x02\0", 0, {"LOOPBACK", "MALFORMED"}),
        (b"\x07\0\0\0" + udp4(), 0, {"LOOPBACK"}),
        (SLL, 113, {"LINUX_SLL", "MALFORMED"}),
        (SLL + b"\0\x04" + b"\x42\x42\x03" + bytes(9), 113, {"LINUX_SLL", "LLC", "STP"}),
        (ethernet(b"")[:13], 1, {"ETHERNET", "MALFORMED"}),
        (ethernet(b"\0", kind=0x8100), 1, {"ETHERNET", "VLAN", "MALFORMED"}),
        (ethernet(b"\0\0\x50\x40", kind=0x8847), 1, {"ETHERNET", "MPLS", "MALFORMED"}),
        (ethernet(b"\x11\0\0\1\0\0", kind=0x8864), 1, {"ETHERNET", "PPPOE", "MALFORMED"}),
        (ethernet(arp()[:20], kind=0x0806), 1, {"ETHERNET", "ARP", "MALFORMED"}),
        (ethernet(bytes(30), kind=0x88CC), 1, {"ETHERNET", "LLDP"}),
        (ethernet(bytes(30), kind=0x1234), 1, {"ETHERNET", "ETHERTYPE_0X1234"}),
        (ethernet(b"\x42\x42\x03" + bytes(35), kind=38), 1, {"ETHERNET", "LLC", "STP"}),
        (b"\x70", 101, {"MALFORMED"}),
    ],
)
def test_what_holds_no_ip_is_counted_by_its_layers(packet: bytes, link_type: int, names: set[str]) -> None:
    found = find_in(packet, link_type=link_type)
    assert found.names() == names
    assert found.conversations == ()
    assert found.summary["packetsWithoutIp"] == 1


def test_the_ethernet_next_to_the_outermost_ip_names_the_macs() -> None:
    inner = ethernet(udp4(), source=THIRD)
    found = find_in(ethernet(b"\0\0\x51\x40" + bytes(4) + inner, kind=0x8847))
    assert {(str(pair.address), pair.mac) for pair in found.pairs if pair.packets_sent} == {(IP_A, THIRD)}


def test_the_ethernet_inside_a_tunnel_names_none() -> None:
    inner = ethernet(udp4(source=IP_B), source=THIRD)
    found = find_in(ethernet(udp4(b"\x08" + bytes(7) + inner, ports=(9, 4789))))
    assert {(str(pair.address), pair.mac) for pair in found.pairs} == {(IP_A, MAC_A), (IP_B, MAC_B)}
