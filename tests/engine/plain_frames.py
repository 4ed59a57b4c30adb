"""Frames that are plain, or nearly so, to the rewriter and to the second reader."""

from tests.captures import IP6_A, IP6_B, IP_C, ethernet, ip_bytes, ipv4, ipv6, tcp, tcp4, udp, udp4, udp6, vlan

STAMP = b"\x01\x01\x08\x0a" + bytes(8)
TCP6 = ipv6(tcp(source=IP6_A, destination=IP6_B), 6)
PLAIN = {
    "tcp": ethernet(tcp4()),
    "tcp with a timestamp": ethernet(tcp4(options=STAMP)),
    "udp": ethernet(udp4()),
    "tcp6": ethernet(TCP6, kind=0x86DD),
    "udp6": ethernet(udp6(), kind=0x86DD),
    "vlan": ethernet(vlan(tcp4()), kind=0x8100),
    "two tags": ethernet(vlan(vlan(udp6(), kind=0x86DD), kind=0x8100), kind=0x88A8),
    "nothing carried": ethernet(tcp4(b"")) + bytes(6),
    "odd": ethernet(udp4(b"an odd one.")),
    "wrong checksum": ethernet(udp4()[:-1] + b"!"),
}
WITHOUT_CHECKSUM = ethernet(udp4()[:26] + b"\0\0" + udp4()[28:])
"""Plain to the rewriter alone."""
NOT_PLAIN = {
    "ip options": ethernet(ipv4(udp(), 17, options=b"\x07\x07\x04" + ip_bytes(IP_C))),
    "a fragment": ethernet(ipv4(udp(), 17, fragment=0x2000)),
    "a later fragment": ethernet(ipv4(udp(), 17, fragment=185)),
    "other tcp options": ethernet(tcp4(options=b"\x02\x04\x05\xb4" + STAMP)),
    "twelve other bytes": ethernet(tcp4(options=b"\x1e\x0c\x30" + ip_bytes(IP_C) + bytes(5))),
    "three tags": ethernet(vlan(vlan(vlan(udp4()), kind=0x8100), kind=0x8100), kind=0x8100),
}
