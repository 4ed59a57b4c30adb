import pytest

from gql_server.domain.anonymization import NamePolicy
from tests.captures import MAC_A, dhcp_request, ethernet, mac_bytes, udp4
from tests.engine.doubles import Involution, rewrite_packet
from tests.engine.judging import MAP, rewritten, understood
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


def message(options: bytes, *, server: bytes = b"", file: bytes = b"") -> bytes:
    names = server.ljust(64, b"\0") + file.ljust(128, b"\0")
    return dhcp_request()[:44] + names + bytes.fromhex("63825363") + options


def masked(data: bytes) -> tuple[bytes, int]:
    packet = ethernet(udp4(data, ports=PORTS))
    out, report = rewrite_packet(packet, MAP, names=NamePolicy.MASK)
    assert read_packet(out).checksums == read_packet(packet).checksums
    return out[42:], report.packets_opaque


@pytest.mark.parametrize("code", [12, 14, 15, 17, 40, 47, 56, 60, 64, 66, 67, 77, 101])
def test_text_options_are_masked(code: int) -> None:
    option = bytes([53, 1, 3, code, 9]) + b"Ward-3 PC\xff"
    out, opaque = masked(message(option))
    assert out[240:] == bytes([53, 1, 3, code, 9]) + b"xxxx-x xx\xff"
    assert opaque == 0


@pytest.mark.parametrize(
    ("option", "mask"),
    [
        (b"\x51\x09\x00\x00\x00Ward-3", b"\x51\x09\x00\x00\x00xxxx-x"),
        (b"\x51\x09\x04\x00\x00\x04Ward\x00", b"\x51\x09\x04\x00\x00\x04xxxx\x00"),
        (b"\x77\x09\x04Ward\xc0\x00\x00\x00", b"\x77\x09\x04xxxx\xc0\x00\x00\x00"),
        (b"\x77\x06\x09Wards", b"\x77\x06" + bytes(6)),
        (b"\x2b\x06Ward 3", b"\x2b\x06" + bytes(6)),
        (b"\x52\x08\x01\x06Ward 3", b"\x52\x08" + bytes(8)),
        (b"\x3d\x07\x00Ward 3", b"\x3d\x07" + bytes(7)),
        (b"\x33\x04\x00\x01\x51\x80", b"\x33\x04\x00\x01\x51\x80"),
        (b"\x37\x03\x01\x03\x06", b"\x37\x03\x01\x03\x06"),
        (b"\x0c\x09Ward", bytes(6)),
    ],
    ids=["fqdn", "fqdn encoded", "search", "bad search", "vendor", "relay", "client id", "lease", "list", "cut"],
)
def test_each_form_of_name_is_masked_or_zeroed(option: bytes, mask: bytes) -> None:
    out, _ = masked(message(option))
    assert out[240:] == mask


def test_the_end_of_the_options_stays_and_what_follows_is_zeroed() -> None:
    out, _ = masked(message(b"\x35\x01\x03\xffWard 3"))
    assert out[240:] == b"\x35\x01\x03\xff" + bytes(6)


def test_the_fields_for_names_are_masked() -> None:
    out, _ = masked(message(b"\xff", server=b"boot.ward3", file=b"/pxe/3.img"))
    assert out[44:54] == b"xxxx.xxxxx"
    assert out[108:118] == b"/xxx/x.xxx"


def test_options_in_the_fields_for_names_are_zeroed() -> None:
    data = message(b"\x34\x01\x03\xff", server=b"\x32\x04" + mac_bytes(MAC_A)[:4])
    out, report = rewritten(ethernet(udp4(data, ports=PORTS)))
    assert out[86:278] == bytes(192)
    assert report.packets_opaque == 1


@pytest.mark.parametrize("length", [20, 43, 60, 200, 241])
def test_where_names_are_masked_a_cut_message_loses_what_cannot_be_followed(length: int) -> None:
    data = message(b"\x0c\x06Ward 3\xff", server=b"Ward 3")[:length]
    out, _ = masked(data)
    assert b"Ward" not in out


def test_names_stay_where_they_are_kept() -> None:
    out = understood(ethernet(udp4(message(b"\x0c\x06Ward 3\xff", server=b"Ward 3"), ports=PORTS)))
    assert out.count(b"Ward 3") == 2
