"""Engagements: the frame of flows, and the keys of it."""

from datetime import UTC, datetime

from gql_server.api.engagements import EngagementKey
from gql_server.domain import flows
from gql_server.domain.ids import EngagementId, KeyId, new_id

MADE = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_record_of_a_key_says_whether_it_is_all_that_is_left() -> None:
    for destroyed in (None, MADE):
        row = flows.EngagementKey(
            id=KeyId(new_id()),
            engagement_id=EngagementId(new_id()),
            created_at=MADE,
            destroyed_at=destroyed,
            destroyed_by=None,
        )
        shown = EngagementKey.of(row)
        assert (shown.is_destroyed, shown.destroyed_at, shown.created_at) == (destroyed is not None, destroyed, MADE)
        assert shown.id.id == row.id
