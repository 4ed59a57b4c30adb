"""Keys over GraphQL."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette

from gql_server.api.ids import GlobalId
from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import KeyId
from gql_server.services.access import settle_flow
from gql_server.services.keys import settle_key
from gql_server.services.resources import Resources
from tests.api.conftest import NewApp
from tests.graphql_client import data

KEYS = "{ flows { edges { node { engagement { keys { id isDestroyed destroyedAt } } } } } }"
DESTROY = """
mutation ($input: DestroyKeyInput!) { destroyKey(input: $input) { key { id isDestroyed } errors { code path } } }
"""


@pytest.fixture
async def key_id(resources: Resources, actor: Actor) -> KeyId:
    async with resources.database.transaction(actor.client_id) as session:
        flow = await settle_flow(session, None)
        return await settle_key(session, resources.keyring, actor.client_id, flow.engagement_id)


@pytest.fixture
def admins_app(new_app: NewApp, actor: Actor) -> Starlette:
    return new_app(replace(actor, role=Role.ADMIN))


async def test_a_destroyed_key_leaves_its_record(admins_app: Starlette, key_id: KeyId) -> None:
    id_ = GlobalId("EngagementKey", key_id).encode()
    engagement = (await data(admins_app, KEYS))["flows"]["edges"][0]["node"]["engagement"]
    assert engagement["keys"] == [{"id": id_, "isDestroyed": False, "destroyedAt": None}]
    answer = (await data(admins_app, DESTROY, {"input": {"keyId": id_}}))["destroyKey"]
    assert answer == {"key": {"id": id_, "isDestroyed": True}, "errors": []}
    (record,) = (await data(admins_app, KEYS))["flows"]["edges"][0]["node"]["engagement"]["keys"]
    assert record["isDestroyed"]
    assert record["destroyedAt"] is not None


async def test_a_key_is_destroyed_once(admins_app: Starlette, key_id: KeyId) -> None:
    given = {"input": {"keyId": GlobalId("EngagementKey", key_id).encode()}}
    await data(admins_app, DESTROY, given)
    answer = (await data(admins_app, DESTROY, given))["destroyKey"]
    assert answer == {"key": None, "errors": [{"code": "KEY_DESTROYED", "path": []}]}


async def test_an_analyst_destroys_no_key(app: Starlette, key_id: KeyId) -> None:
    answer = (await data(app, DESTROY, {"input": {"keyId": GlobalId("EngagementKey", key_id).encode()}}))["destroyKey"]
    assert answer == {"key": None, "errors": [{"code": "FORBIDDEN", "path": []}]}
