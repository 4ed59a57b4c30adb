"""Address transformations: their parameters and counts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PARAMETERS_VERSION = 2
"""Version of the stored parameters; a reader upgrades older ones step by step."""


class AddressMapping(StrEnum):
    """How IP addresses without a rule are mapped."""

    IPCRYPT_PFX = "IPCRYPT_PFX"
    """ipcrypt-pfx (draft-denis-ipcrypt): prefix-preserving, two AES-128 keys."""
    CRYPTO_PAN = "CRYPTO_PAN"
    """Crypto-PAn (Xu, Fan, Ammar, Moon 2002): prefix-preserving, for comparison with outputs of older tools.

    It leaves one IPv4 address in 15,000 where it is, on average over all keys.
    """
    PERMUTATION = "PERMUTATION"
    """No prefix survives: FF1 (NIST SP 800-38G) for IPv4, ipcrypt-deterministic for IPv6."""
    EXPLICIT = "EXPLICIT"
    """Only what a rule names has a pseudonym; every other ordinary address is zeroed."""


class MacMapping(StrEnum):
    """How MAC addresses are mapped."""

    PERMUTATION = "PERMUTATION"
    """FF1 on the 46 bits beside the group and the local bit."""
    KEEP_OUI = "KEEP_OUI"
    """The first three octets stay, so vendors stay visible; FF1 on the other 24 bits."""


class PayloadPolicy(StrEnum):
    """What becomes of the bytes above the transport layer."""

    KEEP = "KEEP"
    """They stay, but for the addresses of DNS and DHCP; the trace is then PARTIAL."""
    ZERO = "ZERO"
    """They become zero; lengths stay."""
    TRUNCATE = "TRUNCATE"
    """Packets end behind the transport header; lengths on the wire stay."""


class NamePolicy(StrEnum):
    """What becomes of names where they are parsed: DNS names, DHCP host and domain names."""

    KEEP = "KEEP"
    MASK = "MASK"
    """Letters and digits become x; lengths stay."""


class NicPolicy(StrEnum):
    """What becomes of the last three octets of a MAC address whose vendor is replaced."""

    KEEP = "KEEP"
    MAP = "MAP"
    """A keyed permutation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizationParameters:
    """What an address anonymization was asked to do; the key is named, never held."""

    mapping: AddressMapping = AddressMapping.IPCRYPT_PFX
    mac_mapping: MacMapping = MacMapping.PERMUTATION
    payload: PayloadPolicy = PayloadPolicy.KEEP
    names: NamePolicy = NamePolicy.KEEP
    version: int = PARAMETERS_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class MacTransformationParameters:
    """What a MAC transformation was asked to do; the key is named, never held."""

    nic: NicPolicy = NicPolicy.KEEP
    payload: PayloadPolicy = PayloadPolicy.KEEP
    version: int = PARAMETERS_VERSION


def anonymization_of(stored: dict[str, Any]) -> AnonymizationParameters:
    """Read stored parameters; version 1 knew one way with MAC addresses, payload and names, which is the default."""
    return AnonymizationParameters(
        mapping=AddressMapping(stored["mapping"]),
        mac_mapping=MacMapping(stored.get("mac_mapping", MacMapping.PERMUTATION)),
        payload=PayloadPolicy(stored.get("payload", PayloadPolicy.KEEP)),
        names=NamePolicy(stored.get("names", NamePolicy.KEEP)),
    )


def mac_transformation_of(stored: dict[str, Any]) -> MacTransformationParameters:
    """Read stored parameters."""
    return MacTransformationParameters(nic=NicPolicy(stored["nic"]), payload=PayloadPolicy(stored["payload"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizationReport:
    """What a transformation of addresses did, in counts; it holds no address."""

    packets: int
    addresses_ipv4: int
    """Distinct IPv4 addresses seen."""
    addresses_ipv6: int
    addresses_mac: int
    packets_opaque: int
    """Packets with bytes that were not understood and therefore zeroed."""
    bytes_zeroed: int
    bytes_kept: int
    """Payload bytes above the transport layer, kept as they are."""
    packets_cut: int
    """Packets cut by the snap length inside a header; address parts in them are zeroed."""
    blocks_dropped: int
    """pcapng blocks that carry names, secrets or comments, left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPair:
    """An original address and what it becomes."""

    original: str
    replacement: str
    kind: str
    """IPV4, IPV6 or MAC."""
