"""One error of each class of the domain."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from gql_server.domain.error_tree import BRANCHES
from gql_server.domain.errors import GqlServerError

_FILES = {GqlServerError.__module__, *(branch.__name__ for branch in BRANCHES)}
"""Tests make errors of their own, too."""


def _classes(base: type[GqlServerError]) -> Iterator[type[GqlServerError]]:
    for found in base.__subclasses__():
        if found.__module__ in _FILES:
            if "code" in vars(found):
                yield found
            yield from _classes(found)


def all_errors() -> list[GqlServerError]:
    """Return one of each."""
    found: list[GqlServerError] = []
    for error in _classes(GqlServerError):
        facts: dict[str, Any] = {
            field.name: f"some {field.name}" if field.type in (str, "str") else 1000 + number
            for number, field in enumerate(fields(error))
        }
        found.append(error(**facts))
    return found
