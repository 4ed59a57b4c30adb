"""Fields: methods that answer, described."""

from collections.abc import AsyncGenerator

import strawberry

from gql_server.api.fields import field, mutation, subscription


@strawberry.type
class Query:
    @field("Answers.")
    def answer(self) -> int:
        return 42


@strawberry.type
class Mutation:
    @mutation("Doubles.")
    def double(self, number: int) -> int:
        return 2 * number


@strawberry.type
class Subscription:
    @subscription("Counts.")
    async def count(self) -> AsyncGenerator[int, None]:
        yield 1
        yield 2


async def test_each_kind_answers_and_is_described() -> None:
    schema = strawberry.Schema(Query, Mutation, Subscription)
    assert (await schema.execute("{ answer }")).data == {"answer": 42}
    assert (await schema.execute("mutation { double(number: 4) }")).data == {"double": 8}
    assert [result.data async for result in await schema.subscribe("subscription { count }")] == [
        {"count": 1},
        {"count": 2},
    ]
    text = schema.as_str()
    assert [sentence in text for sentence in ('"""Answers."""', '"""Doubles."""', '"""Counts."""')] == [True] * 3
