"""What the pairs of originals and pseudonyms tell."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from gql_server.domain.verification import AddressExpectation, MacExpectation, VerificationReason
from gql_server.engine.verify import classes
from gql_server.engine.verify.expectations import (
    Classes,
    Flags,
    are_ordinary,
    classes_of,
    has_rules,
    is_eui64,
    macs_of,
    named_organizations,
    rule_on,
)
from gql_server.engine.verify.laws import Pieces, breaks_prefixes, has_doubles
from gql_server.engine.verify.tables import Pairs

_FLAG_BITS: Final = np.uint64(0x030000000000)
"""The group and the local bit of a MAC address."""
_ORGANIZATION: Final = np.uint64(24)
_SHORT_PREFIX: Final = 32
_RARE: Final = 1
_FREE_BITS: Final = {
    (classes.IPV4, classes.ORDINARY): 32,
    (classes.IPV4, classes.LINK_LOCAL): 16,
    (classes.IPV4, classes.RESERVED): 28,
    (classes.IPV4, classes.GROUP): 23,
    (classes.IPV6, classes.ORDINARY): 64,
    (classes.IPV6, classes.LINK_LOCAL): 24,
    (classes.IPV6, classes.GROUP): 23,
    (classes.MAC, classes.ORDINARY): 46,
    (classes.MAC, classes.GROUP): 23,
    (classes.MAC, classes.GROUP6): 23,
}
"""How many bits of an address a keyed permutation moves at least: one address in 2**bits stays where it is."""
_OUI_KEPT_BITS: Final = 24
_CRYPTO_PAN_BITS: Final = 7
"""As if: one in 15,000 stays, but in some keys a tenth of a subnet does; the law of prefixes finds what was left."""

_VERSIONS: Final = {classes.IPV4: 4, classes.IPV6: 6}
_PREFIX_PRESERVING: Final = {AddressExpectation.PREFIX_PRESERVED, AddressExpectation.CRYPTO_PAN}

Rules = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What should have become of addresses, and by which rules."""

    addresses: AddressExpectation
    macs: MacExpectation
    rules: Rules
    mac_rules: Rules


class Conclusions:
    """Collects reasons."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self.reasons: set[VerificationReason] = set()
        self._met: Counter[int] = Counter()
        self._stayed: Counter[int] = Counter()

    def judge(self, kind: int, pieces: Pieces) -> None:
        """Judge the pairs of one kind; they are gone through more than once, a piece at a time."""
        self._met.clear()
        self._stayed.clear()
        count = 0
        for pairs in pieces():
            self._judge_piece(kind, pairs)
            count += len(pairs.low)
        self._judge_stayed(kind)
        if has_doubles(pieces, count):
            self.reasons.add(VerificationReason.MAP_NOT_INJECTIVE)
        if self._preserves_prefixes(kind) and breaks_prefixes(kind, pieces, count):
            self.reasons.add(VerificationReason.PREFIX_BROKEN)

    def _preserves_prefixes(self, kind: int) -> bool:
        """Say whether the law holds: where a rule has taken an image, another address steps aside."""
        if kind == classes.MAC or self._expected.addresses not in _PREFIX_PRESERVING:
            return False
        return not has_rules(self._expected.rules, version=_VERSIONS[kind])

    def _judge_piece(self, kind: int, pairs: Pairs) -> None:
        addresses = pairs.prefix < 0
        was = classes_of(kind, pairs.high, pairs.low)
        moved = pairs.mapped & addresses & (was != classes_of(kind, pairs.new_high, pairs.new_low))
        same = pairs.mapped & (pairs.high == pairs.new_high) & (pairs.low == pairs.new_low)
        self._add(VerificationReason.CLASS_CHANGED, moved | (pairs.mapped & (was == classes.FIXED) & ~same))
        self._rule(kind, pairs, was, same)

    def _add(self, reason: VerificationReason, flags: Flags) -> None:
        if flags.any():
            self.reasons.add(reason)

    def _rule(self, kind: int, pairs: Pairs, was: Classes, same: Flags) -> None:
        if kind == classes.MAC and self._expected.macs is MacExpectation.NAMED:
            self._judge_named(pairs, same)
        elif kind != classes.MAC and self._expected.addresses is AddressExpectation.KEPT:
            self._judge_kept(pairs, same, was)
        elif kind == classes.MAC:
            self._judge_macs(pairs, was, same)
        else:
            self._judge_mapped(kind, pairs, was, same)

    def _judge_mapped(self, kind: int, pairs: Pairs, was: Classes, same: Flags) -> None:
        ordinary = was == classes.ORDINARY
        ruling = rule_on(pairs, ordinary, self._expected.rules, version=_VERSIONS[kind])
        broken = ruling.broken
        if self._expected.addresses is AddressExpectation.EXPLICIT:
            broken = broken | (pairs.mapped & ordinary & ~ruling.translated)
        self._add(VerificationReason.RULE_BROKEN, broken)
        self._add(VerificationReason.ADDRESSES_KEPT_BY_RULE, ruling.kept & same)
        # A short prefix is often its own image.
        free = same & ~ruling.kept & ((pairs.prefix < 0) | (ordinary & (pairs.prefix >= _SHORT_PREFIX)))
        self._count_same(was, free)

    def _judge_macs(self, pairs: Pairs, was: Classes, same: Flags) -> None:
        ordinary = was == classes.ORDINARY
        changed = (pairs.low ^ pairs.new_low) & _FLAG_BITS != 0
        self._add(VerificationReason.CLASS_CHANGED, pairs.mapped & ordinary & changed)
        if self._expected.macs is MacExpectation.OUI_KEPT:
            other = pairs.low >> _ORGANIZATION != pairs.new_low >> _ORGANIZATION
            self._add(VerificationReason.RULE_BROKEN, pairs.mapped & ordinary & other)
        self._count_same(was, same)

    def _count_same(self, was: Classes, same: Flags) -> None:
        self._met.update(dict(enumerate(np.bincount(was).tolist())))
        self._stayed.update({code: int((same & (was == code)).sum()) for code in np.unique(was[same]).tolist()})

    def _judge_stayed(self, kind: int) -> None:
        """Tell the rare fixed points of a keyed permutation from addresses that were left as they were."""
        for code, stayed in self._stayed.items():
            bits = _FREE_BITS.get((kind, code))
            if bits is None:
                continue  # fixed addresses stay
            if code == classes.ORDINARY:
                bits = self._free_bits_of_ordinary(kind, bits)
            # Sixteen times what chance would leave on average, and one more.
            tolerated = _RARE + (self._met[code] >> (bits - 4))
            fixed = stayed <= tolerated
            self.reasons.add(VerificationReason.FIXED_POINT if fixed else VerificationReason.ADDRESS_LEAKED)

    def _free_bits_of_ordinary(self, kind: int, bits: int) -> int:
        if kind == classes.MAC:
            return _OUI_KEPT_BITS if self._expected.macs is MacExpectation.OUI_KEPT else bits
        return _CRYPTO_PAN_BITS if self._expected.addresses is AddressExpectation.CRYPTO_PAN else bits

    def _judge_named(self, pairs: Pairs, same: Flags) -> None:
        organizations = named_organizations(pairs.low, self._expected.mac_rules)
        given = (pairs.new_low >> _ORGANIZATION).astype(np.int64) == organizations
        named = organizations >= 0
        self._add(VerificationReason.RULE_BROKEN, pairs.mapped & np.where(named, ~given, ~same))
        self._add(VerificationReason.ADDRESSES_KEPT_BY_RULE, same & ~named & are_ordinary(classes.MAC, pairs))

    def _judge_kept(self, pairs: Pairs, same: Flags, was: Classes) -> None:
        organizations = named_organizations(macs_of(pairs.low), self._expected.mac_rules)
        named = is_eui64(pairs.low) & (organizations >= 0) & (was != classes.GROUP) & (was != classes.FIXED)
        given = (macs_of(pairs.new_low) >> _ORGANIZATION).astype(np.int64) == organizations
        follows = (pairs.high == pairs.new_high) & is_eui64(pairs.new_low) & given
        self._add(VerificationReason.RULE_BROKEN, pairs.mapped & np.where(named & (pairs.prefix < 0), ~follows, ~same))
        self._add(VerificationReason.ADDRESSES_KEPT_BY_RULE, same & (was == classes.ORDINARY))
