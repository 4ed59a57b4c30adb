import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.fields import MayEnd, ShortField
from scapy.packet import Packet

from gql_server.domain.packets import DissectedPacket
from gql_server.engine.inspect import dissecting
from gql_server.engine.inspect.dissecting import FIELDS_MOST, LAYERS_MOST, dissect, dissect_packet
from gql_server.engine.inspect.locating import LocatedPacket
from gql_server.engine.messages import Finished, encode_message
from gql_server.engine.tasks import Dissected, DissectTask
from gql_server.services.children import _LINE_BYTES
from gql_server.services.packets import PAGE_DATA_BYTES
from tests.captures import (
    IP6_A,
    IP_A,
    IP_C,
    MAC_A,
    dhcp_request,
    dns_answer,
    ethernet,
    icmp,
    ipv4,
    packets,
    pcap,
    tcp4,
    udp4,
    udp6,
    vlan,
)
from tests.engine.addresses.test_walk import PACKETS

VXLAN = b"\x08" + bytes(7)
GTP = b"\x30\xff" + struct.pack(">HI", len(udp4()), 7)


class Pair(Packet):
    """Two numbers."""

    name = "Pair"
    fields_desc = [MayEnd(ShortField("one", 1)), ShortField("other", 2)]  # noqa: RUF012  # as scapy has it


def shown(data: bytes, *, link_type: int = 1, data_bytes: int = 1 << 16) -> DissectedPacket:
    packet = LocatedPacket(number=1, time_ns=7, link_type=link_type, original_length=len(data), data=data)
    return dissect_packet(packet, data_bytes=data_bytes)


def names(packet: DissectedPacket) -> list[str]:
    return [layer.name for layer in packet.layers]


def fields(packet: DissectedPacket) -> dict[str, str]:
    return {f"{layer.name}.{field.name}": field.value for layer in packet.layers for field in layer.fields}


@pytest.mark.parametrize(
    ("data", "link_type", "wanted"),
    [
        (ethernet(tcp4()), 1, "Ethernet/IP/TCP/Raw"),
        (ethernet(vlan(vlan(udp4()), kind=0x8100), kind=0x88A8), 1, "Ethernet/802_1AD/802.1Q/IP/UDP/Raw"),
        (ethernet(b"\0\0\x51\x40" + udp4(), kind=0x8847), 1, "Ethernet/MPLS/IP/UDP/Raw"),
        (ethernet(udp4(dhcp_request(), ports=(68, 67))), 1, "Ethernet/IP/UDP/BOOTP/DHCP options"),
        (udp4(VXLAN + ethernet(udp4()), ports=(9, 4789)), 101, "IP/UDP/VXLAN/Ethernet/IP/UDP/Raw"),
        (ipv4(struct.pack(">HH", 0, 0x0800) + udp4(), 47), 101, "IP/GRE/IP/UDP/Raw"),
        (udp4(GTP + udp4(), ports=(2152, 2152)), 101, "IP/UDP/GTP-U Header/IP/UDP/Raw"),
        (udp6(), 229, "IPv6/UDP/Raw"),
        (b"anything", 250, "Raw"),
        (b"", 1, ""),
    ],
)
def test_layers_are_named_from_the_link_inwards(data: bytes, link_type: int, wanted: str) -> None:
    assert "/".join(names(shown(data, link_type=link_type))) == wanted


def test_layers_say_where_they_lie_and_hold_every_byte() -> None:
    data = ethernet(vlan(udp4(b"payload")), kind=0x8100) + b"trailer"
    layers = shown(data).layers
    assert [(layer.offset, layer.length) for layer in layers] == [(0, 14), (14, 4), (18, 20), (38, 8), (46, 7), (53, 7)]
    assert sum(layer.length or 0 for layer in layers) == len(data)


def test_behind_a_layer_without_a_place_none_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def header(layer: Packet) -> bytes:
        return b"\xff\xff" if isinstance(layer, Pair) else bytes(layer.load)

    monkeypatch.setattr(dissecting, "root_of", lambda *_: Pair)
    assert [layer.offset for layer in shown(bytes(40)).layers] == [0, 4]
    monkeypatch.setattr(dissecting, "_header", header)
    assert [layer.offset for layer in shown(bytes(40)).layers] == [None, None]


def test_fields_hold_values_and_what_they_stand_for() -> None:
    found = shown(ethernet(tcp4()))
    assert fields(found)["Ethernet.src"] == MAC_A
    assert fields(found)["IP.src"] == IP_A
    assert fields(found)["TCP.dport"] == "80"
    meanings = {f"{layer.name}.{field.name}": field.meaning for layer in found.layers for field in layer.fields}
    assert meanings["IP.proto"] == "TCP"
    assert meanings["Ethernet.type"] == "IPv4"
    assert fields(found)["TCP.flags"] in {"24", "PA"}
    assert "PA" in {fields(found)["TCP.flags"], meanings["TCP.flags"]}
    assert fields(found)["Raw.load"] == (b"x" * 33).hex()


def test_parts_of_a_message_are_named_by_their_path() -> None:
    found = fields(shown(ethernet(udp4(dns_answer(), ports=(53, 53)))))
    assert found["DNS.an[0].rdata"] == IP_C
    assert found["DNS.qd[0].qname"] == b"h.example.".hex()


def test_an_error_shows_the_packet_it_quotes() -> None:
    found = names(shown(ethernet(ipv4(icmp(3, udp4()), 1))))
    assert found[:4] == ["Ethernet", "IP", "ICMP", "IP in ICMP"]


def test_what_is_cut_off_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(dissecting, "root_of", lambda *_: Pair)
        assert fields(shown(b"\0\7\0\7")) == {"Pair.one": "7", "Pair.other": "7"}
        assert fields(shown(b"\0\7")) == {"Pair.one": "7"}
    assert names(shown(ethernet(tcp4())[:50])) == ["Ethernet", "IP", "Raw"]


def test_the_bytes_shown_are_bounded() -> None:
    found = shown(ethernet(udp4(bytes(500))), data_bytes=100)
    assert (len(found.data), found.captured_length) == (200, 542)


def test_a_page_of_the_worst_packets_fits_a_message() -> None:
    pick = random.Random(1)
    quotes = b'"\\' * 3000
    answers = struct.pack(">HHHHHH", 1, 0x8180, 0, 300, 0, 0) + b'\x01"\0\x10\0\1\0\0\0\1\0\x04\x03"""' * 300
    options = b"".join(bytes([n, 1, 34]) for n in range(1, 250)) + b"\xff"
    worst = [
        ethernet(udp4(answers, ports=(53, 53))),
        ethernet(udp4(quotes, ports=(69, 69))),
        ethernet(b"\0\0\x50\x40" * 300 + b"\0\0\x51\x40" + udp4(), kind=0x8847),
        ethernet(udp4(dhcp_request()[:-1] + options, ports=(68, 67))),
        ethernet(vlan(b"", kind=0x8100) * 300, kind=0x8100),
        ethernet(udp4(pick.randbytes(1400), ports=(161, 161))),
        ethernet(ipv4(bytes(1400), 89)),
    ]
    for data in worst:
        page = tuple([shown(data, data_bytes=PAGE_DATA_BYTES)] * 100)
        assert len(page[0].layers) <= LAYERS_MOST
        assert all(len(layer.fields) <= FIELDS_MOST for layer in page[0].layers)
        assert len(encode_message(Finished(result=Dissected(packets=page)))) < _LINE_BYTES


def test_what_is_left_out_is_said() -> None:
    options = b"".join(bytes([n, 1, 0]) for n in range(1, 250))
    message = struct.pack(">HHHHHH", 1, 0x8180, 0, 20, 0, 0) + b"\x01h\0\0\1\0\1\0\0\0\1\0\x04\1\2\3\4" * 20
    assert any(layer.is_cut for layer in shown(ethernet(udp4(message, ports=(53, 53)))).layers)
    assert not any(layer.is_cut for layer in shown(ethernet(udp4(options))).layers)


def test_a_fault_of_scapys_shows_the_packet_as_bytes(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        print("10.1.2.3")  # noqa: T201  # what it must not do
        raise RecursionError("10.1.2.3")

    monkeypatch.setattr(dissecting, "root_of", fail)
    found = shown(ethernet(udp4()))
    assert names(found) == ["Raw"]
    assert (found.layers[0].offset, found.layers[0].length) == (0, len(ethernet(udp4())))
    assert found.summary == f"{len(ethernet(udp4()))} bytes"
    assert capfd.readouterr() == ("", "")


def test_a_packet_that_takes_too_long_is_shown_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def spin(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(dissecting, "PACKET_SECONDS", 0.05)
    monkeypatch.setattr(dissecting, "root_of", spin)
    assert names(shown(ethernet(udp4()))) == ["Raw"]


def test_a_task_takes_apart_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(packets(*PACKETS)))
    found = dissect(DissectTask(source=path, first=1, last=4, data_bytes=10, memory_bytes=1)).packets
    assert [(packet.number, packet.data) for packet in found] == [(n + 1, PACKETS[n][:10].hex()) for n in (1, 2, 3)]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([*PACKETS, udp6(source=IP6_A)]), st.data(), st.sampled_from([0, 1, 9, 50, 101, 105, 113, 127, 276])
)
def test_any_bytes_are_shown(packet: bytes, data: st.DataObject, link_type: int) -> None:
    changed = bytearray(packet[: data.draw(st.integers(0, len(packet)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    found = shown(bytes(changed), link_type=link_type)
    assert found.data == changed.hex()
    line = encode_message(Finished(result=Dissected(packets=(found,))))
    assert line.isascii()
    for layer in found.layers:
        if layer.offset is not None and layer.length is not None:
            assert layer.offset + layer.length <= len(changed)
