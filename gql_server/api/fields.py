"""Fields: methods that answer, described."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

THE_INPUT = strawberry.argument(description="All that is asked for.")
"""How every mutation's one argument is described."""

ResolverT = TypeVar("ResolverT", bound=Callable[..., Any])


def field(description: str) -> Callable[[ResolverT], ResolverT]:
    """Make a field of a method; strawberry's own decorator has no type."""

    def make(resolver: ResolverT) -> ResolverT:
        return cast("ResolverT", strawberry.field(resolver, description=description))

    return make


def mutation(description: str) -> Callable[[ResolverT], ResolverT]:
    """Make a mutation of a method."""

    def make(resolver: ResolverT) -> ResolverT:
        return cast("ResolverT", strawberry.mutation(resolver, description=description))

    return make


def subscription(description: str) -> Callable[[ResolverT], ResolverT]:
    """Make a subscription of a method."""

    def make(resolver: ResolverT) -> ResolverT:
        return cast("ResolverT", strawberry.subscription(resolver, description=description))

    return make
