"""One error of each class of the domain."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from gql_server.domain.errors import GqlServerError


def _classes(base: type[GqlServerError]) -> Iterator[type[GqlServerError]]:
    for found in base.__subclasses__():
        if found.__module__ == GqlServerError.__module__:
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
