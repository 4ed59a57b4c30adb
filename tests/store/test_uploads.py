"""Upload rows: the offset moves from where it stands."""

import asyncio
from datetime import UTC, datetime, timedelta

from gql_server.domain.access import Actor
from gql_server.domain.errors import NotACapture
from gql_server.domain.ids import UploadId, new_id
from gql_server.domain.uploads import Upload, UploadState
from gql_server.store import flows, uploads
from gql_server.store.database import Database
from tests.conftest import NewActor

LATER = datetime(2100, 1, 1, tzinfo=UTC)


async def _add(database: Database, actor: Actor, *, expires_at: datetime = LATER) -> Upload:
    async with database.transaction(actor.client_id) as session:
        flow = await flows.find_default_flow(session)
        assert flow is not None
        upload = Upload(
            id=UploadId(new_id()),
            client_id=actor.client_id,
            flow_id=flow.id,
            created_by=actor.user_id,
            name="x",
            state=UploadState.RECEIVING,
            length_bytes=10,
            offset_bytes=0,
            declared_sha256="ab" * 32,
            job_id=None,
            trace_id=None,
            error=None,
            created_at=datetime.now(UTC),
            expires_at=expires_at,
        )
        await uploads.add_upload(session, upload)
    return upload


async def _get(database: Database, actor: Actor, upload: Upload) -> Upload:
    async with database.read(actor.client_id) as connection:
        return (await uploads.find_uploads(connection, [upload.id]))[upload.id]


async def _advance(database: Database, actor: Actor, upload: Upload, before: int, after: int) -> bool:
    async with database.transaction(actor.client_id) as session:
        return await uploads.advance_upload(session, upload.id, before=before, after=after, expires_at=LATER)


async def test_an_upload_is_read_as_it_was_written(database: Database, actor: Actor) -> None:
    upload = await _add(database, actor)
    assert await _get(database, actor, upload) == upload


async def test_the_offset_moves_only_from_where_it_stands(database: Database, actor: Actor) -> None:
    upload = await _add(database, actor)
    assert await _advance(database, actor, upload, 0, 4)
    assert not await _advance(database, actor, upload, 0, 7)
    assert await _advance(database, actor, upload, 4, 10)
    assert (await _get(database, actor, upload)).offset_bytes == 10


async def test_of_two_who_move_it_at_once_one_does(database: Database, actor: Actor) -> None:
    upload = await _add(database, actor)
    moved = await asyncio.gather(*(_advance(database, actor, upload, 0, end) for end in (3, 5, 7)))
    assert sorted(moved) == [False, False, True]


async def test_a_closed_upload_does_not_move(database: Database, actor: Actor) -> None:
    upload = await _add(database, actor)
    async with database.transaction(actor.client_id) as session:
        await uploads.change_upload(session, upload.id, state=UploadState.REFUSED, error=NotACapture(offset=3))
    assert not await _advance(database, actor, upload, 0, 4)
    read = await _get(database, actor, upload)
    assert read.error is not None
    assert (read.state, read.error.facts()) == (UploadState.REFUSED, {"offset": 3})


async def test_only_open_uploads_of_the_user_count(database: Database, actor: Actor, new_actor: NewActor) -> None:
    fellow = await new_actor(client_id=actor.client_id)
    first, _ = await _add(database, actor), await _add(database, actor)
    await _add(database, fellow)
    async with database.transaction(actor.client_id) as session:
        assert await uploads.lock_user_uploads(session, actor.user_id) == 2
        await uploads.change_upload(session, first.id, state=UploadState.ABORTED)
        assert await uploads.lock_user_uploads(session, actor.user_id) == 1


async def test_what_lay_too_long_is_expired_in_every_tenant(
    database: Database, actor: Actor, new_actor: NewActor
) -> None:
    stranger = await new_actor()
    past = datetime.now(UTC) - timedelta(seconds=1)
    old = [(each.client_id, (await _add(database, each, expires_at=past)).id) for each in (actor, stranger)]
    fresh = (actor.client_id, (await _add(database, actor)).id)
    async with database.read_across_tenants() as connection:
        expired = await uploads.list_expired(connection, limit=100_000)
    assert set(old) <= set(expired)
    assert fresh not in expired


async def test_a_file_is_needed_while_its_upload_is_open(database: Database, actor: Actor) -> None:
    needed, closed = await _add(database, actor), await _add(database, actor)
    async with database.transaction(actor.client_id) as session:
        await uploads.change_upload(session, closed.id, state=UploadState.ABORTED)
    async with database.read_across_tenants() as connection:
        assert await uploads.find_needed_files(connection, [needed.id, closed.id, new_id()]) == {needed.id}
