"""Enums: every value has its sentence."""

from gql_server.api.enums import DESCRIPTIONS
from gql_server.domain.error_codes import ErrorCode


def test_every_value_has_a_sentence() -> None:
    for enum, sentences in DESCRIPTIONS.items():
        assert set(sentences) == set(enum.__members__)
        assert all(sentence.endswith(".") for sentence in sentences.values())


def test_a_codes_sentence_names_its_facts() -> None:
    assert DESCRIPTIONS[ErrorCode]["NOT_FOUND"] == "There is no such <noun>."
