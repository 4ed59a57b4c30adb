"""The error tree, put together: each error by its code."""

import re
import subprocess
import sys
from dataclasses import fields

import pytest

from gql_server.domain.error_codes import ErrorCode
from gql_server.domain.error_tree import BRANCHES, error_classes, error_of
from gql_server.domain.errors import Fact, GqlServerError

LEAVES = error_classes()


def _made_up(error: type[GqlServerError]) -> dict[str, Fact]:
    return {each.name: 7 if each.type in (int, "int") else "text" for each in fields(error)}


def test_every_code_belongs_to_one_class() -> None:
    assert set(LEAVES) == set(ErrorCode)


@pytest.mark.parametrize("error", LEAVES.values(), ids=lambda error: error.__name__)
def test_message_uses_only_facts_and_survives_a_crossing(error: type[GqlServerError]) -> None:
    facts = _made_up(error)
    made = error(**facts)
    assert set(re.findall(r"{(\w+)}", error.__doc__ or "")) <= set(facts)
    assert "{" not in str(made)
    again = error_of(made.code, made.facts())
    assert type(again) is error
    assert again.facts() == facts


def test_an_unknown_code_or_a_wrong_fact_is_no_error_of_ours() -> None:
    with pytest.raises(ValueError, match="NOPE"):
        error_of("NOPE", {})
    with pytest.raises(ValueError, match="NOT_A_CAPTURE"):
        error_of("NOT_A_CAPTURE", {"wrong": 1})


def test_an_error_of_a_branch_is_found_by_whoever_looks_it_up() -> None:
    # In a process of its own: here, other tests have loaded every branch.
    code = "from gql_server.domain.error_tree import error_of; print(error_of('UID_COLLISION', {}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Two UIDs would share a pseudonym")


@pytest.mark.parametrize("code", ErrorCode)
def test_each_error_stands_in_the_trunk_or_in_a_branch(code: ErrorCode) -> None:
    files = {GqlServerError.__module__, *(branch.__name__ for branch in BRANCHES)}
    assert LEAVES[code].__module__ in files
