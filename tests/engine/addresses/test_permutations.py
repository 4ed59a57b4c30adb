import json
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import numpy as np
import pytest

from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.permutations import CryptoPan, IpcryptPfx, PrefixPreserving
from gql_server.engine.addresses.ranges import Pairs
from tests.engine.corpora import corpora

# draft-denis-ipcrypt, appendix "Test Vectors", ipcrypt-pfx.
PFX = [
    ("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301", "255.255.255.255", "94.185.169.89"),
    (
        "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301",
        "2001:db8::1",
        "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88",
    ),
    ("2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a", "10.0.0.129", "19.214.210.80"),
    ("2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a", "172.16.5.193", "210.78.229.136"),
    ("2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a", "172.16.248.177", "210.78.121.215"),
]
# The sample trace of the original Crypto-PAn distribution.
PAN_KEY = "1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202"
PAN = [
    (PAN_KEY, "128.11.68.132", "135.242.180.132"),
    (PAN_KEY, "130.132.252.244", "133.68.164.234"),
    (PAN_KEY, "24.0.250.221", "100.15.198.226"),
]


def permuted(permutation: PrefixPreserving, text: str) -> str:
    """Return what the published construction makes of an address, special or not."""
    number = int(ip_address(text))
    if ":" not in text:
        return str(IPv4Address(int(permutation.hosts_ipv4(np.array([number], np.uint64), 32)[0])))
    pair = np.array([[number >> 64, number & 0xFFFFFFFFFFFFFFFF]], np.uint64)
    high = int(pair[0, 0] ^ permutation._flips(pair, 0, 64)[0])
    return str(IPv6Address((high << 64) | int(permutation.interface_ids(pair)[0])))


@pytest.mark.parametrize(("key", "original", "expected"), PFX)
def test_ipcrypt_pfx_gives_the_published_vectors(key: str, original: str, expected: str) -> None:
    assert permuted(IpcryptPfx(bytes.fromhex(key)), original) == expected


@pytest.mark.parametrize(("key", "original", "expected"), PAN)
def test_crypto_pan_gives_the_published_vectors(key: str, original: str, expected: str) -> None:
    assert permuted(CryptoPan(bytes.fromhex(key)), original) == expected


def test_all_shared_vectors_hold() -> None:
    folder: Path = corpora("vectors")
    pan = json.loads((folder / "cryptopan.json").read_text())
    wrong = [
        (original, expected)
        for part in pan["sets"]
        for original, expected in part["pairs"]
        if permuted(CryptoPan(bytes.fromhex(part["key_hex"])), original) != expected
    ]
    for one in json.loads((folder / "ipcrypt.json").read_text()):
        if one["variant"] == "ipcrypt-pfx":
            got = permuted(IpcryptPfx(bytes.fromhex(one["key"])), one["ip"])
            wrong += [(one["ip"], one["encrypted_ip"])] if got != one["encrypted_ip"] else []
    assert wrong == []


BOTH: list[PrefixPreserving] = [IpcryptPfx(bytes(range(32))), CryptoPan(bytes(range(32)))]


@pytest.mark.parametrize("permutation", BOTH, ids=["pfx", "pan"])
def test_ordinary_ipv4_addresses_are_as_published_unless_the_image_is_special(permutation: PrefixPreserving) -> None:
    numbers = np.random.default_rng(2).integers(1 << 24, 224 << 24, 5000, dtype=np.uint64)
    numbers = numbers[ranges.is_ordinary_ipv4(numbers)]
    plain, walked = permutation.hosts_ipv4(numbers, 32), permutation.ordinary_ipv4(numbers)
    ordinary = ranges.is_ordinary_ipv4(plain)
    assert 100 < int((~ordinary).sum()) < 1500
    assert np.array_equal(plain[ordinary], walked[ordinary])
    assert bool(ranges.is_ordinary_ipv4(walked).all())


@pytest.mark.parametrize("permutation", BOTH, ids=["pfx", "pan"])
def test_ordinary_ipv6_addresses_are_as_published_unless_the_image_is_special(permutation: PrefixPreserving) -> None:
    pairs = np.random.default_rng(2).integers(0, 1 << 63, (1500, 2), dtype=np.uint64)
    plain = np.stack([pairs[:, 0] ^ permutation._flips(pairs, 0, 64), permutation.interface_ids(pairs)], axis=1)
    walked = permutation.ordinary_ipv6(pairs, permutation.interface_ids)
    ordinary = ranges.is_ordinary_ipv6(plain)
    assert 1 <= int((~ordinary).sum()) < 50
    assert np.array_equal(plain[ordinary], walked[ordinary])
    assert bool(ranges.is_ordinary_ipv6(walked).all())
    assert np.array_equal(plain[:, 1], walked[:, 1])


@pytest.mark.parametrize("permutation", BOTH, ids=["pfx", "pan"])
def test_the_first_16_bits_are_permuted_among_the_ordinary(permutation: PrefixPreserving) -> None:
    tops = np.arange(1 << 16)
    ordinary = ranges.TOP_CLASSES_IPV4 == ranges.ORDINARY
    assert np.array_equal(np.sort(permutation._tops_ipv4[ordinary]), tops[ordinary])
    wide = ranges.ORDINARY_TOPS_IPV6
    assert np.array_equal(np.sort(permutation._tops_ipv6[wide]), tops[wide])


@pytest.mark.parametrize("permutation", BOTH, ids=["pfx", "pan"])
def test_flips_of_some_bits_are_those_of_the_whole(permutation: PrefixPreserving) -> None:
    pairs = np.random.default_rng(4).integers(0, 1 << 63, (50, 2), dtype=np.uint64)
    whole = [permutation._flips(pairs, 0, 64).tolist(), permutation._flips(pairs, 64, 64).tolist()]
    for first, bits in [(0, 1), (3, 61), (16, 48), (63, 1), (63, 2), (60, 10), (64, 1), (65, 32), (127, 1)]:
        expected = [
            ((high << 64) | low) >> (128 - first - bits) & (1 << bits) - 1 for high, low in zip(*whole, strict=True)
        ]
        assert permutation._flips(pairs, first, bits).tolist() == expected


@pytest.mark.parametrize("construction", [IpcryptPfx, CryptoPan])
def test_networks_met_again_are_mapped_as_before(construction: type[IpcryptPfx | CryptoPan]) -> None:
    pairs = np.random.default_rng(8).integers(0, 1 << 63, (9000, 2), dtype=np.uint64)
    pairs[::3, 0] = pairs[0, 0]
    pairs[0, 0] = 0
    one = construction(bytes(range(32)))

    def networks(permutation: PrefixPreserving, some: Pairs) -> list[int]:
        return [int(high) for high in permutation.ordinary_ipv6(some, permutation.interface_ids)[:, 0]]

    first, again = networks(one, pairs), networks(one, pairs[::-1])[::-1]
    assert first == again
    for begin in range(0, 9000, 1500):
        fresh = construction(bytes(range(32)))
        assert networks(fresh, pairs[begin : begin + 1]) == first[begin : begin + 1]


def test_many_at_once_are_each_as_one_alone() -> None:
    texts = [f"10.{n % 7}.{n % 251}.{n % 199}" for n in range(1200)]
    permutation = IpcryptPfx(bytes(range(32)))
    together = permutation.hosts_ipv4(np.array([int(ip_address(text)) for text in texts], np.uint64), 32).tolist()
    assert together[::97] == [int(ip_address(permuted(permutation, text))) for text in texts[::97]]


@pytest.mark.parametrize("key", [bytes(32), bytes(31)])
def test_keys_that_are_no_keys_are_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="keys"):
        IpcryptPfx(key)
