import pytest

from gql_server.domain.verification import LeakForm, LeakPlace
from gql_server.engine.verify.hits import TEXT
from tests.captures import ethernet, ip_bytes, mac_bytes, udp4
from tests.engine.verify.proving import Reason, prove_among_witnesses, replaced
from tests.engine.verify.searching import hits_in

V4 = ip_bytes("203.0.113.77")
V6 = ip_bytes("2001:db8:aaaa:bbbb::77")
MAC = mac_bytes("00:11:22:33:44:55")
FORMS = {
    "203.0.113.77": ("IPV4", LeakForm.TEXT),
    "203.000.113.077": ("IPV4", LeakForm.TEXT),
    "1.203.0.113.77.9": ("IPV4", LeakForm.TEXT),
    "CB00714D": ("IPV4", LeakForm.HEX),
    "xxacb00714dxx": ("IPV4", LeakForm.HEX),
    "4d7100cb": ("IPV4", LeakForm.HEX),
    "00:11:22:33:44:55": ("MAC", LeakForm.TEXT),
    "00-11-22-33-44-55": ("MAC", LeakForm.TEXT),
    "0:11:22:33:44:55": ("MAC", LeakForm.TEXT),
    "0011.2233.4455": ("MAC", LeakForm.TEXT),
    "001122334455": ("MAC", LeakForm.HEX),
    "554433221100": ("MAC", LeakForm.HEX),
    "02-11-22-FF-FE-33-44-55": ("MAC", LeakForm.EUI64),
    "021122fffe334455": ("MAC", LeakForm.EUI64),
    "2001:db8:aaaa:bbbb::77": ("IPV6", LeakForm.TEXT),
    "2001:0DB8:AAAA:BBBB:0000:0000:0000:0077": ("IPV6", LeakForm.TEXT),
    "2001:db8:aaaa:bbbb:0:0:0:77": ("IPV6", LeakForm.TEXT),
    "[2001:db8:aaaa:bbbb::77]:80": ("IPV6", LeakForm.TEXT),
    "2001:db8:aaaa:bbbb::77:80": ("IPV6", LeakForm.TEXT),
    "src:2001:db8:aaaa:bbbb::77": ("IPV6", LeakForm.TEXT),
    V6.hex(): ("IPV6", LeakForm.HEX),
}
OTHERS = [
    "203.0.113.7",
    "203.0.113.770",
    "1203.0.113.77",
    "203.0.1113.77",
    "203.0.113.1110",
    "0203.0.113.77",
    "203..113.77",
    "203.0.113.333",
    "203-0-113-77",
    "00.11.22.33.44.55",
    "11:22:33:44:55",
    "203.0.113",
    "203..0.113.77",
    "00:11:22:33:44",
    "00:11:22:33:44:555",
    "00:11:22:33:44-55",
    "0011.2233.44",
    "0011.2233:4455",
    "0011:2233.4455",
    "02-11-22-AA-AA-33-44-55",
    "00:11:22:33:44:550",
    "2001:db8:aaaa:bbbb:::77",
    "2001:db8:aaaa:bbbb:0:0:77",
    "2001:db8:aaaa:bbbb::0077a",
    "2001:db8:aaaa:bbbb::00770",
    "2001:db8:aaaa:bbbb:0:0:0:00770",
    "2001:db8:aaaa:bbbb:0:0:0-77",
    "cb00714",
    "203.0.113.78",
    "00:11:22:33:44:56",
    "001122334456",
    "2001:db8:aaaa:bbbb::78",
    "::",
    ":",
    "-.:-.:-.:-.:",
]


def findings_in(payload: bytes) -> set[tuple[str, LeakForm, LeakPlace]]:
    packet = ethernet(udp4(payload))
    verification = prove_among_witnesses(packet, replaced(packet[:42]) + payload)
    assert verification.reasons == (Reason.PAYLOAD_KEPT,)
    return {(one.kind, one.form, one.place) for one in verification.scan.findings if one.place is LeakPlace.PAYLOAD}


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("before", ["", " ", "ab", "abcdefg", "host=", "x" * 63])
def test_an_address_is_found_however_it_is_written(text: str, before: str) -> None:
    if (before + text)[len(before) - 1 : len(before)].isalnum() and before == "ab" and text[0].isalnum():
        before = "zz"  # a digit more would be another number
    kind, form = FORMS[text]
    for behind in ("", " ", "\n", "zzzzz"):
        assert (kind, form, LeakPlace.PAYLOAD) in findings_in((before + text + behind).encode()), behind


@pytest.mark.parametrize("text", OTHERS)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert findings_in(f" {text} ".encode()) == set()


ORIGINALS = [
    ip_bytes(one)
    for one in ("10.255.1.254", "::2001:db8:7:8", "2001:db8:1:2::", "2001:db8::1:2", "2001:db8:1:2:3:4:5:6")
]


def written_in(text: str) -> list[tuple[int, int]]:
    """Return place and length of what is found in a window of its own."""
    return [(at, length) for at, length, _, form in hits_in(text.encode(), *ORIGINALS) if form == TEXT]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.255.1.254", [(0, 12)]),
        ("10.256.1.254", []),
        ("10.255.1.2540", []),
        ("2001:db8:1:2::", [(0, 14)]),
        ("::2001:db8:7:8", [(0, 14)]),
        ("2001:db8:1:2:-", []),
        ("2001:db8:1:2:", []),
        ("2001:db8:1:2-:", []),
        ("2001:db8::1:2", [(0, 13)]),
        ("2001:db8::1-2", []),
        ("2001:db8:1:2:3:4:5:6", [(0, 20)]),
        ("::2001:db8:1:2:3:4:5:6", [(2, 20)]),
        ("aaaaaa:", []),
        ("aaaaaaa", []),
        ("aaaa::", []),
    ],
)
def test_a_window_may_hold_an_address_and_nothing_else(text: str, found: list[tuple[int, int]]) -> None:
    assert written_in(text) == found


@pytest.mark.parametrize(
    ("text", "original"),
    [
        ("b000101", "0b000101"),
        ("01122fffe334455", "021122334455"),
        ("021122aaaa334455", "001122334455"),
        ("20010db800070008", "000000000000000020010db800070008"),
        ("0011.223.4455", "001102234455"),
        ("0011.2233.455", "001122330455"),
        ("00:11:22::44:55", "001122004455"),
    ],
)
def test_what_lacks_digits_is_not_found(text: str, original: str) -> None:
    assert hits_in(f"  {text}  ".encode(), bytes.fromhex(original)) == []


def test_a_run_begins_with_its_window() -> None:
    """What stands at the other end of the window is no digit before the first."""
    assert written_in("10.255.1.254" + "." * 8 + "x" * 40 + "1") == [(0, 12)]


def test_a_long_run_is_read_once_and_to_its_end() -> None:
    text = "0.1." * 2000 + "203.0.113.77" + ":" * 3000
    assert findings_in(text.encode()) == {("IPV4", LeakForm.TEXT, LeakPlace.PAYLOAD)}
