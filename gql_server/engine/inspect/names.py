"""What the counters of the survey are called.

Layers and numbers carry the names of the registries they come from; a service is only ever told by its port.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.domain.inspection import ProtocolBasis
from gql_server.engine.inspect.layout import ETHERTYPES_AT, IP_PROTOCOLS_AT, SERVICES_AT

LAYERS: Final = (
    "MALFORMED",
    "OTHER_LINK_TYPE",
    "ETHERNET",
    "LINUX_SLL",
    "LINUX_SLL2",
    "LOOPBACK",
    "RADIOTAP",
    "IEEE_802_11",
    "VLAN",
    "LLC",
    "STP",
    "MPLS",
    "PPPOE",
    "ARP",
    "IPV4",
    "IPV6",
    "UDP",
    "GRE",
    "VXLAN",
    "GENEVE",
    "GTP_U",
    "AH",
)
"""The layers that the walk goes through, in the order of `layout`."""

# https://www.iana.org/assignments/protocol-numbers
IP_PROTOCOLS: Final = {
    0: "HOPOPT",
    1: "ICMP",
    2: "IGMP",
    6: "TCP",
    8: "EGP",
    9: "IGP",
    27: "RDP",
    33: "DCCP",
    43: "IPV6_ROUTE",
    44: "IPV6_FRAG",
    46: "RSVP",
    50: "ESP",
    58: "ICMPV6",
    59: "IPV6_NONXT",
    60: "IPV6_OPTS",
    88: "EIGRP",
    89: "OSPF",
    94: "IPIP",
    103: "PIM",
    108: "IPCOMP",
    112: "VRRP",
    115: "L2TP",
    124: "ISIS_OVER_IPV4",
    132: "SCTP",
    135: "MOBILITY_HEADER",
    136: "UDPLITE",
    139: "HIP",
    140: "SHIM6",
}
CARRIERS: Final = {4: "IPV4", 17: "UDP", 41: "IPV6", 47: "GRE", 51: "AH", 137: "MPLS_IN_IP", 143: "ETHERNET"}
"""IP protocols that the walk counts as layers; conversations name them too."""

# https://www.iana.org/assignments/ieee-802-numbers
ETHERTYPES: Final = {
    0x0806: "ARP",
    0x0842: "WAKE_ON_LAN",
    0x22F0: "AVTP",
    0x22F3: "TRILL",
    0x8137: "IPX",
    0x876B: "VJ_TCP",
    0x8808: "ETHERNET_FLOW_CONTROL",
    0x8809: "SLOW_PROTOCOLS",
    0x8863: "PPPOE_DISCOVERY",
    0x888E: "EAPOL",
    0x8892: "PROFINET",
    0x88A4: "ETHERCAT",
    0x88B8: "GOOSE",
    0x88BE: "ERSPAN",
    0x88CC: "LLDP",
    0x88E5: "MACSEC",
    0x88F7: "PTP",
    0x8902: "CFM",
    0x8906: "FCOE",
    0x8915: "ROCE",
    0x892F: "HSR",
    0x9000: "LOOPBACK_TEST",
}

# https://www.iana.org/assignments/service-names-port-numbers
SERVICES: Final = {
    "BACNET": (47808,),
    "BFD": (3784, 4784),
    "BGP": (179,),
    "DHCP": (67, 68),
    "DHCPV6": (546, 547),
    "DICOM": (104, 2761, 2762, 11112),
    "DNS": (53, 853),
    "FTP": (20, 21),
    "HL7": (2575,),
    "HTTP": (80, 8080),
    "HTTPS": (443, 8443),
    "IKE": (500, 4500),
    "IMAP": (143, 993),
    "IPFIX": (4739,),
    "KERBEROS": (88,),
    "LDAP": (389, 636, 3268, 3269),
    "LDP": (646,),
    "LLMNR": (5355,),
    "MDNS": (5353,),
    "MODBUS": (502,),
    "MQTT": (1883, 8883),
    "MSSQL": (1433, 1434),
    "MYSQL": (3306,),
    "NETBIOS": (137, 138, 139),
    "NETFLOW": (2055, 9995),
    "NFS": (2049,),
    "NTP": (123,),
    "ORACLE": (1521,),
    "POP3": (110, 995),
    "PORTMAPPER": (111,),
    "POSTGRESQL": (5432,),
    "RADIUS": (1645, 1646, 1812, 1813),
    "RDP": (3389,),
    "RIP": (520, 521),
    "SFLOW": (6343,),
    "SIP": (5060, 5061),
    "SMB": (445,),
    "SMTP": (25, 465, 587),
    "SNMP": (161, 162),
    "SSDP": (1900,),
    "SSH": (22,),
    "SYSLOG": (514, 6514),
    "TACACS": (49,),
    "TELNET": (23,),
    "TFTP": (69,),
    "VNC": (5900, 5901),
    "WINRM": (5985, 5986),
}
_SERVICE_NAMES: Final = tuple(SERVICES)


def service_table() -> npt.NDArray[np.uint8]:
    """Return for each port the number of its service, 0 for none."""
    table = np.zeros(1 << 16, np.uint8)
    for number, ports in enumerate(SERVICES.values(), start=1):
        table[list(ports)] = number
    return table


def protocol_name(number: int) -> str:
    """Return what an IP protocol is called."""
    return IP_PROTOCOLS.get(number) or CARRIERS.get(number) or f"IP_PROTOCOL_{number}"


def counter_name(counter: int) -> tuple[str, ProtocolBasis]:
    """Return what a counter counts, and by what it was told."""
    if counter >= SERVICES_AT:
        return _SERVICE_NAMES[counter - SERVICES_AT - 1], ProtocolBasis.PORT
    if counter >= ETHERTYPES_AT:
        number = counter - ETHERTYPES_AT
        return ETHERTYPES.get(number, f"ETHERTYPE_0X{number:04X}"), ProtocolBasis.HEADER
    if counter >= IP_PROTOCOLS_AT:
        return protocol_name(counter - IP_PROTOCOLS_AT), ProtocolBasis.HEADER
    return LAYERS[counter], ProtocolBasis.HEADER
