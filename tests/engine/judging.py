"""How a rewritten packet is judged."""

from gql_server.domain.anonymization import AddressMapping, AnonymizationReport
from gql_server.engine.addresses.mapping import AddressMap
from tests.captures import IP6_A, IP6_B, IP6_C, IP_A, IP_B, IP_C, IP_D, MAC_A, MAC_B, ip_bytes, mac_bytes
from tests.engine.doubles import KEY, rewrite_packet
from tests.engine.reading import read_packet

SECRETS = [ip_bytes(text) for text in (IP_A, IP_B, IP_C, IP_D, IP6_A, IP6_B, IP6_C)]
SECRETS += [mac_bytes(text) for text in (MAC_A, MAC_B)]

MAP = AddressMap(KEY, AddressMapping.IPCRYPT_PFX, ())


def rewritten(packet: bytes, *, link_type: int = 1) -> tuple[bytes, AnonymizationReport]:
    """Rewrite a packet by key and hold it against what always has to be."""
    out, report = rewrite_packet(packet, MAP, link_type=link_type)
    assert len(out) == len(packet)
    assert [secret.hex() for secret in SECRETS if secret in out] == []
    assert read_packet(out, link_type).checksums == read_packet(packet, link_type).checksums
    return out, report


def understood(packet: bytes, *, link_type: int = 1) -> bytes:
    """Rewrite a packet of which every byte is understood."""
    out, report = rewritten(packet, link_type=link_type)
    assert (report.packets_opaque, report.packets_cut, report.bytes_zeroed) == (0, 0, 0)
    return out
