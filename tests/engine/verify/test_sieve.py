import pytest

from gql_server.domain.verification import LeakForm, LeakPlace
from tests.captures import ethernet, ip_bytes, mac_bytes, packets, pcap, udp4
from tests.engine.verify.proving import WITNESSES, prove, replaced

BYTES = {
    "203.0.113.77": ("IPV4", LeakForm.BINARY, ip_bytes("203.0.113.77")),
    "from last to first": ("IPV4", LeakForm.REVERSED, ip_bytes("203.0.113.77")[::-1]),
    "2001:db8:cccc:dddd::99": ("IPV6", LeakForm.BINARY, ip_bytes("2001:db8:cccc:dddd::99")),
    "00:11:22:33:44:66": ("MAC", LeakForm.BINARY, mac_bytes("00:11:22:33:44:66")),
    "0211:22ff:fe33:4466": ("MAC", LeakForm.EUI64, bytes.fromhex("021122fffe334466")),
}
TEXTS = {
    "203.0.113.77": ("IPV4", LeakForm.TEXT),
    "cb00714d": ("IPV4", LeakForm.HEX),
    "0011.2233.4466": ("MAC", LeakForm.TEXT),
    "2001:DB8:cccc:dddd::99": ("IPV6", LeakForm.TEXT),
}
STRETCH = 512
PAGE = 4096


def hits(kind: str, form: LeakForm, needle: bytes, payloads: list[bytes]) -> int:
    """Return how often an original is found in the payloads of one capture."""
    frames = [ethernet(udp4(payload)) for payload in payloads]
    before = pcap(packets(*WITNESSES, *frames))
    after = pcap(packets(*map(replaced, WITNESSES), *(replaced(frame[:42]) + frame[42:] for frame in frames)))
    assert after.count(needle) == len(payloads)
    found = [one for one in prove(before, after).scan.findings if one.place is LeakPlace.PAYLOAD]
    assert {(one.kind, one.form) for one in found} <= {(kind, form)}
    return sum(one.hits for one in found)


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("filler", [b"\xa5", b"\x00", b"\xff"])
def test_an_original_is_found_at_each_place_of_a_stretch(name: str, filler: bytes) -> None:
    kind, form, needle = BYTES[name]
    payloads = [filler * at + b"\xa5" + needle + b"\xa5" + filler * (STRETCH - at) for at in range(STRETCH + 9)]
    assert hits(kind, form, needle, payloads) == len(payloads)


@pytest.mark.parametrize("text", TEXTS)
def test_a_written_original_is_found_at_each_place_of_a_page(text: str) -> None:
    needle = text.encode()
    payloads = [b"\x00" * at + needle + b"\x00" * (67 - at) for at in range(67)] * (PAGE // 64)
    assert hits(*TEXTS[text], needle, payloads) == len(payloads)


def test_every_original_of_a_full_sieve_is_found() -> None:
    addresses = [(0x0B000000 + 2654435761 * number % (1 << 24)).to_bytes(4, "big") for number in range(20_000)]
    frames = [ethernet(udp4(address, source="11.0.0.1"), kind=0x0800) for address in addresses]
    known = [frame[:26] + address + frame[30:] for frame, address in zip(frames, addresses, strict=True)]
    before = pcap(packets(*known))
    after = pcap(packets(*(frame[:26] + frame[28:30] + frame[26:28] + frame[30:] for frame in known)))
    verification = prove(before, after)
    assert sum(one.hits for one in verification.scan.findings if one.place is LeakPlace.PAYLOAD) >= len(addresses)
