import pytest

from gql_server.domain.vendors import OuiVendor


@pytest.mark.parametrize(("oui", "whole"), [("00:11:22", True), ("00:55:da:1", False), ("00:1b:c5:00:1", False)])
def test_only_the_owner_of_three_octets_assigns_the_other_three(oui: str, whole: bool) -> None:  # noqa: FBT001  # a table
    assert OuiVendor(oui=oui, name="Example").is_whole == whole
