"""Values: the parts of nodes that point nowhere."""

from gql_server.api.values import AddressRule, JobProgress, MacRule
from gql_server.domain.jobs import Progress
from gql_server.domain.rules import parse_address_rules, parse_mac_rules


def test_progress_of_an_unknown_total_is_none_of_it() -> None:
    shown = JobProgress.of(Progress(packets=3, bytes_done=9, bytes_total=0))
    assert (shown.packets, shown.bytes_done, shown.bytes_total, shown.fraction) == (3, 9, 0, 0.0)


def test_progress_never_goes_beyond_all_of_it() -> None:
    assert JobProgress.of(Progress(packets=3, bytes_done=9, bytes_total=6)).fraction == 1.0


def test_a_rule_without_a_target_shows_none() -> None:
    rule = AddressRule.of(parse_address_rules([("10.0.0.0/8", "KEEP")])[0])
    assert (rule.action, rule.target) == ("KEEP", None)


def test_a_mac_rule_is_shown_as_it_was_understood() -> None:
    rule = MacRule.of(parse_mac_rules([("AC-DE-48-00-11-22", "00-00-5E")])[0])
    assert (rule.original_mac, rule.target_oui) == ("ac:de:48:00:11:22", "00:00:5e")


def test_a_rule_is_shown_as_it_was_understood() -> None:
    rule = AddressRule.of(parse_address_rules([("2001:DB8::/32", "fd00::/32")])[0])
    assert (rule.source, rule.target) == ("2001:db8::/32", "fd00::/32")
