import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.addresses import ranges
from gql_server.engine.addresses.rewriting_rules import RuleTable

RULES = (
    ("8.0.0.0/29", "8.0.0.8/29"),
    ("8.0.0.8/30", "8.0.0.0/30"),
    ("8.0.0.2/32", "9.9.9.9/32"),
    ("::2/127", "1::/127"),
)
TABLE = RuleTable(RULES, version=4)
FIRST = 8 << 24


def test_rules_of_the_other_version_do_not_count() -> None:
    assert not RuleTable(RULES[:3], version=6)
    assert RuleTable(RULES, version=6).image(3) == (1 << 112) + 1


def test_a_target_knows_its_source() -> None:
    for address in range(FIRST, FIRST + 32):
        image = TABLE.image(address)
        if image is not None:
            assert TABLE.source(image) == address
    assert TABLE.source(FIRST + 10) is None, "the inner rule took that source elsewhere"


def rotate(numbers: list[int]) -> list[int]:
    """A default map on 8.0.0.0/27 that sends most of it into the targets."""
    return [FIRST + (number - FIRST + 5) % 32 for number in numbers]


def test_a_landing_in_a_target_takes_the_place_of_the_source() -> None:
    addresses = list(range(FIRST, FIRST + 32))
    mapped = TABLE.apply(addresses, rotate(addresses), rotate)
    assert len(set(mapped)) == 32
    for address, image in zip(addresses, mapped, strict=True):
        assert TABLE.image(address) in (image, None)
        assert TABLE.source(image) in (address, None)


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        (("126.0.0.0/7", "10.0.0.0/7"), 127 << 24),
        (("10.0.0.0/7", "126.0.0.0/7"), 11 << 24),
        (("fe00::/7", "200::/7"), 0xFF << 120),
    ],
)
def test_a_special_address_is_neither_taken_nor_given(rule: tuple[str, str], address: int) -> None:
    table = RuleTable((rule,), version=6 if ":" in rule[0] else 4)
    assert table.image(address) is None
    assert table.source(address) is None or table.source(address) == address


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 128) - 1))
def test_what_is_ordinary_is_so_one_by_one_and_together(ipv4: int, ipv6: int) -> None:
    everything = RuleTable((("0.0.0.0/1", "0.0.0.0/1"), ("128.0.0.0/1", "128.0.0.0/1")), version=4)
    assert (everything.image(ipv4) == ipv4) == bool(ranges.is_ordinary_ipv4(np.array([ipv4], np.uint64))[0])
    halves = RuleTable((("::/1", "::/1"), ("8000::/1", "8000::/1")), version=6)
    pair = np.array([[ipv6 >> 64, ipv6 & (1 << 64) - 1]], np.uint64)
    assert (halves.image(ipv6) == ipv6) == bool(ranges.is_ordinary_ipv6(pair)[0])
