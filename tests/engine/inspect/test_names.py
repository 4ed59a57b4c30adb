import pytest

from gql_server.domain.inspection import ProtocolBasis
from gql_server.engine.inspect import layout, names


@pytest.mark.parametrize(
    ("counter", "name"),
    [
        (layout.MALFORMED, "MALFORMED"),
        (layout.VLAN, "VLAN"),
        (layout.STP, "STP"),
        (layout.ARP, "ARP"),
        (layout.IPV6, "IPV6"),
        (layout.GTP_U, "GTP_U"),
        (layout.AUTHENTICATION, "AH"),
        (layout.IP_PROTOCOLS_AT + 6, "TCP"),
        (layout.IP_PROTOCOLS_AT + 200, "IP_PROTOCOL_200"),
        (layout.ETHERTYPES_AT + 0x88CC, "LLDP"),
        (layout.ETHERTYPES_AT + 0xABCD, "ETHERTYPE_0XABCD"),
    ],
)
def test_a_counter_has_the_name_of_its_registry(counter: int, name: str) -> None:
    assert names.counter_name(counter) == (name, ProtocolBasis.HEADER)


def test_every_layer_has_a_name_of_its_own() -> None:
    assert len(set(names.LAYERS)) == len(names.LAYERS) == layout.AUTHENTICATION + 1
    assert len(names.LAYERS) < layout.IP_PROTOCOLS_AT


def test_every_port_belongs_to_one_service_and_is_found_again() -> None:
    ports = [port for service in names.SERVICES.values() for port in service]
    assert len(set(ports)) == len(ports)
    table = names.service_table()
    for name, service in names.SERVICES.items():
        for port in service:
            assert names.counter_name(layout.SERVICES_AT + int(table[port])) == (name, ProtocolBasis.PORT)
    assert int((table != 0).sum()) == len(ports)


def test_a_conversations_protocol_is_named_even_when_it_counts_as_a_layer() -> None:
    assert [names.protocol_name(number) for number in (4, 6, 17, 47, 254)] == [
        "IPV4",
        "TCP",
        "UDP",
        "GRE",
        "IP_PROTOCOL_254",
    ]
