"""Errors: what their messages say."""

from gql_server.domain.errors import NotACapture, NotFound, RulesOverlap


def test_message_names_the_byte() -> None:
    assert "byte 24" in str(NotACapture(offset=24))


def test_facts_are_given_by_name_or_place_and_told_by_name() -> None:
    assert str(NotFound("trace")) == "There is no such trace."
    assert RulesOverlap(2, other=1).facts() == {"index": 2, "other": 1}
