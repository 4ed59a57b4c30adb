"""Values: the parts of nodes that point nowhere."""

from gql_server.api.values import AddressRule, JobProgress
from gql_server.domain.jobs import Progress
from gql_server.domain.rules import parse_address_rules


def test_progress_of_an_unknown_total_is_none_of_it() -> None:
    shown = JobProgress.of(Progress(packets=3, bytes_done=9, bytes_total=0))
    assert (shown.packets, shown.bytes_done, shown.bytes_total, shown.fraction) == (3, 9, 0, 0.0)


def test_progress_never_goes_beyond_all_of_it() -> None:
    assert JobProgress.of(Progress(packets=3, bytes_done=9, bytes_total=6)).fraction == 1.0


def test_a_rule_is_shown_as_it_was_understood() -> None:
    rule = AddressRule.of(parse_address_rules([("2001:DB8::/32", "fd00::/32")])[0])
    assert (rule.source, rule.target) == ("2001:db8::/32", "fd00::/32")
