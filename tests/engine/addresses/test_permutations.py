import json
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest

from gql_server.engine.addresses.permutations import CryptoPan, IpcryptPfx, Permutation
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


def permuted(permutation: Permutation, text: str) -> str:
    number = int(ip_address(text))
    pair = np.array([[number >> 64, number & 0xFFFFFFFFFFFFFFFF]], np.uint64)
    flips = permutation.flips_of_ipv6(pair) if ":" in text else permutation.flips_of_ipv4(pair)
    high, low = (pair ^ flips)[0].tolist()
    packed = ((high << 64) | low).to_bytes(16, "big")
    return str(ip_address(packed if ":" in text else packed[12:]))


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


def test_many_at_once_are_each_as_one_alone() -> None:
    texts = [f"10.{n % 7}.{n % 251}.{n % 199}" for n in range(1200)]
    permutation = IpcryptPfx(bytes(range(32)))
    pairs = np.array([[0, int(ip_address(text))] for text in texts], np.uint64)
    together = (pairs ^ permutation.flips_of_ipv4(pairs))[:, 1].tolist()
    assert together[::97] == [int(ip_address(permuted(permutation, text))) for text in texts[::97]]


@pytest.mark.parametrize("key", [bytes(32), bytes(31)])
def test_keys_that_are_no_keys_are_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="keys"):
        IpcryptPfx(key)
