"""Flows: pieces of work inside an engagement."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gql_server.domain.ids import ClientId, EngagementId, FlowId, KeyId, UserId


class FlowType(StrEnum):
    """What a flow is for."""

    DISCOVERY = "DISCOVERY"
    ASSESSMENT = "ASSESSMENT"
    PLANNING = "PLANNING"
    EXECUTION = "EXECUTION"
    MODERNIZE = "MODERNIZE"
    FINOPS = "FINOPS"
    OBSERVABILITY = "OBSERVABILITY"
    DECOMMISSION = "DECOMMISSION"


class FlowState(StrEnum):
    """Where a flow stands."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    PAUSED = "PAUSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


MOVES: dict[FlowState, frozenset[FlowState]] = {
    FlowState.PENDING: frozenset({FlowState.ACTIVE, FlowState.CANCELLED}),
    FlowState.ACTIVE: frozenset(
        {FlowState.IN_PROGRESS, FlowState.PAUSED, FlowState.COMPLETED, FlowState.FAILED, FlowState.CANCELLED}
    ),
    FlowState.IN_PROGRESS: frozenset(
        {FlowState.ACTIVE, FlowState.PAUSED, FlowState.COMPLETED, FlowState.FAILED, FlowState.CANCELLED}
    ),
    FlowState.PAUSED: frozenset({FlowState.ACTIVE, FlowState.IN_PROGRESS, FlowState.CANCELLED}),
    FlowState.COMPLETED: frozenset(),
    FlowState.FAILED: frozenset({FlowState.ACTIVE}),
    FlowState.CANCELLED: frozenset(),
}
"""Every allowed move of a flow."""


def can_move(before: FlowState, after: FlowState) -> bool:
    """Say whether a flow may go from one state to the other."""
    return after in MOVES[before]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow, as remembered."""

    id: FlowId
    client_id: ClientId
    engagement_id: EngagementId
    name: str
    type: FlowType
    state: FlowState
    is_default: bool
    created_by: UserId
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementKey:
    """A pseudonym key, as remembered: never the key itself."""

    id: KeyId
    engagement_id: EngagementId
    created_at: datetime
    destroyed_at: datetime | None
    destroyed_by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """The frame that flows belong to; one pseudonym key each."""

    id: EngagementId
    client_id: ClientId
    name: str
    created_at: datetime
