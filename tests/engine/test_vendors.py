"""The registry of vendors; the blocks named here were assigned long ago and stay."""

import subprocess
import sys

import pytest

from gql_server.domain.errors import RuleMalformed
from gql_server.domain.vendors import OuiVendor
from gql_server.engine.vendors import oui_of_vendor, search_vendors, vendor_of

XEROX = OuiVendor(oui="00:00:01", name="Xerox Corporation")
KOOLPOS = OuiVendor(oui="00:55:da:1", name="KoolPOS Inc.")


@pytest.mark.parametrize(
    ("mac", "name"),
    [
        ("00:00:01:12:34:56", "Xerox Corporation"),
        ("00:55:da:12:34:56", "KoolPOS Inc."),
        ("00:1b:c5:00:12:34", "OpenRB.com, Direct SIA"),
        ("00:1b:c5:00:22:34", "GORAMO - Janusz Gorecki"),
        ("02:00:00:00:00:01", None),
        ("ff:ff:ff:ff:ff:ff", None),
    ],
)
def test_the_smallest_block_tells_the_vendor(mac: str, name: str | None) -> None:
    assert vendor_of(mac) == name


@pytest.mark.parametrize("text", ["00:00:01", "00-00-01", "000001", "0000.01", " 00:00:01 ", "00:00:01:12:34:56"])
def test_digits_are_found_in_any_notation(text: str) -> None:
    assert search_vendors(text, 5)[0] == XEROX


def test_digits_find_the_blocks_within_and_around_the_smallest_first() -> None:
    assert KOOLPOS in search_vendors("00:55:da", 50)
    assert search_vendors("00:55:DA:12:34:56", 5)[0] == KOOLPOS
    within = search_vendors("00:55", 1000)
    assert len(within) >= 16
    assert all(vendor.oui.startswith("00:55") for vendor in within)


def test_names_are_found_whatever_their_case() -> None:
    found = search_vendors("xEROX corp", 100)
    assert XEROX in found
    assert all("xerox corp" in vendor.name.lower() for vendor in found)
    assert KOOLPOS in search_vendors("koolpos", 3)


def test_a_short_word_of_hexadecimal_letters_is_a_name() -> None:
    assert all("dec" in vendor.name.lower() for vendor in search_vendors("dec", 50))


def test_as_many_are_returned_as_were_asked_for_in_the_same_order() -> None:
    assert len(search_vendors("cisco", 7)) == 7
    assert search_vendors("cisco", 7) == search_vendors("cisco", 100)[:7]
    assert search_vendors("00:1b:c5", 3) == search_vendors("00:1b:c5", 30)[:3]
    assert search_vendors("  ", 5) == search_vendors("no such vendor", 5) == search_vendors("cisco", 0) == ()


def test_a_vendor_gives_its_lowest_block() -> None:
    assert oui_of_vendor("Xerox Corporation", index=0) == "00:00:01"
    assert oui_of_vendor(" xerox CORPORATION ", index=0) == "00:00:01"
    first, *_ = [vendor for vendor in search_vendors("Apple, Inc.", 5000) if vendor.name == "Apple, Inc."]
    assert oui_of_vendor("apple, inc.", index=0) == first.oui


def test_part_of_a_name_is_enough_where_only_one_vendor_has_it() -> None:
    assert oui_of_vendor("Hitachi Reftechno", index=0) == "fc:fe:77"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "no vendor"), ("no such vendor", "no vendor"), ("KoolPOS", "no block"), ("systems", "several vendors")],
)
def test_what_is_not_one_vendor_is_refused(name: str, reason: str) -> None:
    with pytest.raises(RuleMalformed) as caught:
        oui_of_vendor(name, index=3)
    assert caught.value.index == 3
    assert reason in caught.value.reason


def test_nothing_is_read_before_it_is_asked_for_and_no_compiler_ever() -> None:
    program = (
        "import sys, gql_server.engine.vendors as vendors\n"
        "assert 'scapy' not in sys.modules\n"
        "assert vendors.vendor_of('00:00:01:00:00:00')\n"
        "assert {'numba', 'numpy', 'scapy.all'}.isdisjoint(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
