import sys

import pytest
from scapy.config import conf

from gql_server.engine.inspect.scapy_layers import ROOTS, root_of


@pytest.mark.parametrize(
    ("link_type", "data", "name"),
    [
        (1, b"", "Ethernet"),
        (101, b"\x45", "IP"),
        (12, b"\x60", "IPv6"),
        (14, b"\x00", "Raw"),
        (101, b"", "Raw"),
        (276, b"", "cooked linux v2"),
        (65000, b"\x45", "Raw"),
    ],
)
def test_a_packet_begins_as_its_link_type_says(link_type: int, data: bytes, name: str) -> None:
    assert root_of(link_type, data)().name == name


def test_every_link_type_that_is_anonymized_is_dissected() -> None:
    assert {0, 1, 108, 113, 228, 229, 276} <= set(ROOTS)


def test_scapys_whole_is_not_pulled_in_and_faults_are_contained() -> None:
    assert "scapy.layers.http" not in sys.modules
    assert conf.debug_dissector is False
