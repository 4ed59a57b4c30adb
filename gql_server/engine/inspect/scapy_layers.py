"""The layers that scapy dissects here.

Importing them binds them to the layers below. `scapy.layers.http` stays away, which unpacks bodies, and so do those
that pull in `scapy.all`.
"""
# ruff: noqa: F401  # imported for what they bind

from scapy.config import conf

# Before the first layer: what routes this machine has is nobody's business.
conf.route_autoload = False
conf.route6_autoload = False

from scapy.contrib import (  # noqa: E402  # see above
    cdp,
    dicom,
    eigrp,
    erspan,
    geneve,
    gtp,
    lacp,
    ldp,
    lldp,
    modbus,
    mpls,
    ospf,
    pim,
)
from scapy.layers import (  # noqa: E402  # see above
    dhcp,
    dhcp6,
    dns,
    dot11,
    hsrp,
    igmp,
    inet,
    inet6,
    l2,
    l2tp,
    llmnr,
    netflow,
    ntp,
    ppp,
    radius,
    rip,
    sctp,
    snmp,
    tftp,
    vrrp,
    vxlan,
)
from scapy.layers.inet import IP  # noqa: E402  # see above
from scapy.layers.inet6 import IPv6  # noqa: E402  # see above
from scapy.packet import NoPayload, Packet, Raw  # noqa: E402  # see above

conf.verb = 0
conf.debug_dissector = False

ROOTS: dict[int, type[Packet]] = {
    0: l2.Loopback,
    1: l2.Ether,
    9: ppp.PPP,
    50: ppp.HDLC,
    105: dot11.Dot11,
    108: l2.Loopback,
    113: l2.CookedLinux,
    127: dot11.RadioTap,
    228: IP,
    229: IPv6,
    276: l2.CookedLinuxV2,
}
"""What a packet of a link type begins with."""
_RAW_IP = frozenset({12, 14, 101})
_IPV4, _IPV6 = 4, 6


def root_of(link_type: int, data: bytes) -> type[Packet]:
    """Return what a packet begins with; bytes where that is not known."""
    if link_type in _RAW_IP and data:
        return {_IPV4: IP, _IPV6: IPv6}.get(data[0] >> 4, Raw)
    return ROOTS.get(link_type, Raw)
