from ipaddress import IPv6Address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.anonymization import NicPolicy
from gql_server.domain.errors import MacTargetTaken, RuleMalformed, RuleTargetsCollide
from gql_server.engine.addresses.ranges import Numbers, Pairs
from gql_server.engine.addresses.vendor_map import Places, VendorMap, kept_apart
from tests.engine.doubles import KEY

RULES = (("00:11:22:33:44:55", "a4:5e:60"), ("00:11:22:33:44:66", "00:11:22"), ("02:00:00:00:00:01", "a4:5e:60"))
KEPT = VendorMap(KEY, NicPolicy.KEEP, RULES)
MAPPED = VendorMap(KEY, NicPolicy.MAP, RULES)
BOTH = pytest.mark.parametrize("vendors", [KEPT, MAPPED], ids=["kept", "mapped"])


def number(octets: str) -> int:
    return int(octets.replace(":", ""), 16)


def changed(vendors: VendorMap, *octets: str) -> list[str]:
    mapped = vendors.mac(np.array([number(each) for each in octets], np.uint64))
    return [int(each).to_bytes(6, "big").hex(":") for each in mapped]


def rows(*texts: str) -> Pairs:
    words = [divmod(int(IPv6Address(text)), 1 << 64) for text in texts]
    return np.array(words, np.uint64).reshape(-1, 2)


def test_the_vendor_is_the_rule_s_and_the_other_octets_stay() -> None:
    assert changed(KEPT, "00:11:22:33:44:55", "02:00:00:00:00:01") == ["a4:5e:60:33:44:55", "a4:5e:60:00:00:01"]


def test_mapped_octets_depend_on_the_key() -> None:
    one, other = (
        changed(vendors, *(rule[0] for rule in RULES))
        for vendors in (MAPPED, VendorMap(b"k" * 32, NicPolicy.MAP, RULES))
    )
    assert [each[:8] for each in one] == [rule[1] for rule in RULES]
    assert [each[9:] for each in one] != [rule[0][9:] for rule in RULES]
    assert one != other
    assert one == changed(VendorMap(KEY, NicPolicy.MAP, RULES[::-1]), *(rule[0] for rule in RULES))


@BOTH
def test_what_no_rule_names_stays(vendors: VendorMap) -> None:
    others = ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:ff:33:44:55", "00:00:00:00:00:00", "00:11:22:33:44:56"]
    assert changed(vendors, *others) == others
    numbers = np.array([0x0A010203, 0], np.uint64)
    assert np.array_equal(vendors.ipv4(numbers), numbers)
    texts = ["2001:db8::1", "::1", "ff02::1:ff33:4455", "ff02::211:22ff:fe33:4455", "fe80::211:22ff:fe33:4456"]
    assert np.array_equal(vendors.ipv6(rows(*texts)), rows(*texts))


@BOTH
def test_ids_made_from_a_named_address_follow_it(vendors: VendorMap) -> None:
    (mac,) = changed(vendors, "00:11:22:33:44:55")
    high, low = mac[:8].replace(":", ""), mac[9:].replace(":", "")
    identifier = f"{int(high, 16) ^ 0x020000:06x}fffe{low}"
    for prefix in ("2001:db8:1:2:", "fe80::"):
        mapped = vendors.ipv6(rows(prefix + "211:22ff:fe33:4455"))
        assert f"{int(mapped[0, 1]):016x}" == identifier
        assert mapped[0, 0] == rows(prefix + "1:2:3:4")[0, 0]


@BOTH
def test_an_address_that_another_device_has_is_refused(vendors: VendorMap) -> None:
    (made,) = changed(vendors, "02:00:00:00:00:01")
    with pytest.raises(MacTargetTaken) as caught:
        changed(vendors, "00:11:22:33:44:99", made)
    assert caught.value.index == 2
    identifier = f"{number(made) >> 24 ^ 0x020000:06x}fffe{number(made) & 0xFFFFFF:06x}"
    groups = ":".join(identifier[n : n + 4] for n in range(0, 16, 4))
    with pytest.raises(MacTargetTaken):
        vendors.ipv6(rows("fe80::" + groups))


def test_devices_may_change_places_and_a_rule_may_change_nothing() -> None:
    swap = VendorMap(KEY, NicPolicy.KEEP, (("00:11:22:00:00:01", "00:33:44"), ("00:33:44:00:00:01", "00:11:22")))
    assert changed(swap, "00:11:22:00:00:01", "00:33:44:00:00:01") == ["00:33:44:00:00:01", "00:11:22:00:00:01"]
    assert changed(KEPT, "00:11:22:33:44:66") == ["00:11:22:33:44:66"]


def test_two_rules_for_one_address_are_refused_where_octets_are_kept() -> None:
    rules = (("00:11:22:00:00:01", "a4:5e:60"), ("00:33:44:00:00:01", "a4:5e:60"))
    with pytest.raises(RuleTargetsCollide):
        VendorMap(KEY, NicPolicy.KEEP, rules)
    made = changed(VendorMap(KEY, NicPolicy.MAP, rules), *(rule[0] for rule in rules))
    assert len(set(made)) == 2
    with pytest.raises(RuleMalformed):
        VendorMap(KEY, NicPolicy.KEEP, (("ff:ff:ff:ff:ff:ff", "a4:5e:60"),))


def test_no_rules_change_nothing() -> None:
    assert changed(VendorMap(KEY, NicPolicy.MAP, ()), "00:11:22:33:44:55") == ["00:11:22:33:44:55"]


def test_where_mapped_octets_meet_the_later_device_gives_way() -> None:
    def mirrored(nics: Numbers, places: Places) -> Numbers:
        assert len(nics) == len(places)
        return nics ^ np.uint64(0xFFFFFF)

    vendors, nics = np.array([7, 7, 0, 7, 8], np.uint64), np.array([5, 5, 0xFFFFFF, 5, 5], np.uint64)
    made = kept_apart(vendors, nics, mirrored)
    assert [int(each) >> 24 for each in made] == [7, 7, 0, 7, 8]
    assert [int(each) & 0xFFFFFF ^ 0xFFFFFF for each in made] == [5, 4, 0xFFFFFE, 7, 5]


@settings(deadline=None)
@given(nics=st.lists(st.integers(0, 255), unique=True, min_size=1), vendors=st.data())
def test_no_two_named_devices_become_one(nics: list[int], vendors: st.DataObject) -> None:
    octets = [f"00:11:{nic % 3:02x}:00:00:{nic:02x}" for nic in nics]
    rules = tuple((each, vendors.draw(st.sampled_from(["a4:5e:60", "00:11:01"]))) for each in octets)
    for nic in NicPolicy:
        made = changed(VendorMap(KEY, nic, rules), *octets)
        assert len(set(made)) == len(octets)
        assert [each[:8] for each in made] == [oui for _, oui in rules]
