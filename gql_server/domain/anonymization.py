"""Address anonymization: its parameters and its counts."""

from dataclasses import dataclass
from enum import StrEnum

PARAMETERS_VERSION = 1
"""Version of the stored parameters; a reader upgrades older ones step by step."""


class AddressMapping(StrEnum):
    """How addresses without a rule are mapped."""

    IPCRYPT_PFX = "IPCRYPT_PFX"
    """ipcrypt-pfx (draft-denis-ipcrypt): prefix-preserving, two AES-128 keys."""
    CRYPTO_PAN = "CRYPTO_PAN"
    """Crypto-PAn (Xu, Fan, Ammar, Moon 2002): prefix-preserving, kept for compatibility."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizationParameters:
    """What an address anonymization was asked to do; the key is named, never held."""

    mapping: AddressMapping = AddressMapping.IPCRYPT_PFX
    version: int = PARAMETERS_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizationReport:
    """What an address anonymization did, in counts; it holds no address."""

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
