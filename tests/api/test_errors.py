"""Expected failures as data: every domain error has its type."""

from collections.abc import Iterator
from dataclasses import fields

import pytest

from gql_server.api.errors import ERROR_TYPES, UNEXPECTED, GenericError, path_of, stored_error, user_error
from gql_server.domain import errors
from gql_server.domain.dicom_errors import OverrideMalformed, OverrideTooLong
from gql_server.domain.errors import GqlServerError
from tests.domain_errors import all_errors


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: type(error).__name__)
def test_every_error_of_the_domain_is_said_with_its_facts(error: GqlServerError) -> None:
    if isinstance(error, UNEXPECTED):
        with pytest.raises(type(error)):
            user_error(error)
        return
    shown = user_error(error)
    assert type(shown) in ERROR_TYPES
    assert (shown.code, shown.message) == (error.code, str(error))
    said = {value for name, value in vars(shown).items() if name not in ("message", "code", "path")}
    lost = {value for name, value in error.facts().items() if value not in said}
    # A noun is in the message and the path; a limit in bytes is said once, a ratio in the message.
    assert lost <= {error.facts().get("noun"), error.facts().get("ratio")}


def test_an_error_that_nobody_placed_is_not_said() -> None:
    class Unplaced(GqlServerError):
        """Nobody placed it."""

    with pytest.raises(Unplaced):
        user_error(Unplaced())


@pytest.mark.parametrize(
    ("error", "path"),
    [
        (errors.NotFound(noun="trace"), ["input", "traceId"]),
        (errors.InvalidInput(field="length_bytes", reason="too long"), ["input", "lengthBytes"]),
        (errors.InvalidInput(field="lengthBytes", reason="too long"), ["input", "lengthBytes"]),
        (errors.RulesOverlap(index=2, other=1), ["input", "rules", "2"]),
        (OverrideMalformed(index=3, reason="why"), ["input", "overrides", "3"]),
        (OverrideTooLong(index=4, length=6), ["input", "overrides", "4"]),
        (errors.Forbidden(), []),
    ],
)
def test_an_error_names_the_part_of_the_input(error: GqlServerError, path: list[str]) -> None:
    assert path_of(error) == path


def test_an_error_of_a_job_is_about_no_input() -> None:
    shown = stored_error(errors.NotFound(noun="upload"))
    assert isinstance(shown, GenericError)
    assert shown.path == []
    assert stored_error(None) is None


@pytest.mark.parametrize("error", [errors.StorageError(), errors.SetupError(advice="secret"), GqlServerError()])
def test_a_fault_that_ended_a_job_is_said_without_a_word_of_its_own(error: GqlServerError) -> None:
    shown = stored_error(error)
    assert isinstance(shown, GenericError)
    assert (shown.code, shown.message) == ("INTERNAL", "The server could not do what was asked.")


def test_the_types_add_nothing_that_no_error_says() -> None:
    def facts() -> Iterator[str]:
        for error in all_errors():
            if not isinstance(error, UNEXPECTED):
                yield from (name for name, value in vars(user_error(error)).items() if value is not None)

    assert {field.name for type_ in ERROR_TYPES for field in fields(type_)} == set(facts())
