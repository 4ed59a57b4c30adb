import pytest

from tests.captures import MAC_A, dhcp_request, ethernet, mac_bytes, udp4
from tests.engine.doubles import Involution, rewrite_packet
from tests.engine.judging import rewritten, understood
from tests.engine.reading import read_packet

PORTS = (68, 67)


def test_fixed_fields_and_address_options_change() -> None:
    out = understood(ethernet(udp4(dhcp_request(), source="0.0.0.0", destination="255.255.255.255", ports=PORTS)))
    assert read_packet(out).wrong() == []
    assert out[26:34] == bytes(4) + b"\xff" * 4, "nobody and everybody stay"


def test_the_hardware_address_becomes_what_it_becomes_on_the_link() -> None:
    out = understood(ethernet(udp4(dhcp_request(), ports=PORTS)))
    assert out.count(out[6:12]) == 3


@pytest.mark.parametrize("length", range(0, 290, 7))
def test_a_cut_message_changes_as_far_as_it_goes(length: int) -> None:
    packet = ethernet(udp4(dhcp_request(), ports=PORTS))[: 42 + length]
    again, _ = rewrite_packet(rewrite_packet(packet, Involution())[0], Involution())
    assert again == packet


def test_other_hardware_is_left_as_payload() -> None:
    message = bytearray(dhcp_request())
    message[1] = 32
    message[28:34] = b"abcdef"
    packet = ethernet(udp4(bytes(message), ports=PORTS))
    out, _ = rewritten(packet)
    assert b"abcdef" in out
    assert mac_bytes(MAC_A) not in out
