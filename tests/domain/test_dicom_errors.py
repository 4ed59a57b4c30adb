"""Errors of de-identifying DICOM say where, and never what."""

from dataclasses import fields

import pytest

from gql_server.domain.dicom import DicomProblem
from gql_server.domain.dicom_errors import DicomError, DicomUndecodable, OverrideTooLong
from gql_server.domain.error_tree import error_classes

BRANCH = error_classes(DicomError).values()


def test_an_undecodable_stream_is_named_by_its_association_and_packet() -> None:
    error = DicomUndecodable(association=3, problem=DicomProblem.NO_BOUNDARY, packet=17)
    assert "association 3 cannot be read (NO_BOUNDARY) from packet 17 on" in str(error)


def test_an_override_that_is_too_long_says_how_long_it_may_be() -> None:
    assert "has 6 bytes" in str(OverrideTooLong(index=0, length=6))


@pytest.mark.parametrize("error", BRANCH, ids=lambda error: error.__name__)
def test_facts_are_numbers_and_words_of_ours(error: type[DicomError]) -> None:
    assert {field.name for field in fields(error)} <= {"association", "problem", "packet", "index", "reason", "length"}
