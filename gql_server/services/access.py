"""What an actor may do, and what they can see."""

from gql_server.domain.access import Actor
from gql_server.domain.errors import Forbidden, InvalidInput, NotFound, TraceDeleted
from gql_server.domain.flows import Flow
from gql_server.domain.ids import FlowId, TraceId
from gql_server.domain.traces import Trace
from gql_server.store import flows, traces
from gql_server.store.database import Session

MAX_NAME = 200


def require_write(actor: Actor) -> None:
    """Refuse an actor who may only look.

    Raises:
        Forbidden: the role is VIEWER.
    """
    if not actor.may_write:
        raise Forbidden


def require_originals(actor: Actor) -> None:
    """Refuse an actor who may not be shown originals beside what becomes of them.

    Raises:
        Forbidden: the role is VIEWER.
    """
    if not actor.may_see_originals:
        raise Forbidden


def checked_name(name: str) -> str:
    """Return a name without surrounding blanks.

    Raises:
        InvalidInput: empty, too long, or with control characters.
    """
    trimmed = name.strip()
    if not trimmed or len(trimmed) > MAX_NAME or not trimmed.isprintable():
        raise InvalidInput(field="name", reason=f"1 to {MAX_NAME} printable characters are wanted")
    return trimmed


async def settle_flow(session: Session, flow_id: FlowId | None) -> Flow:
    """Return the flow, or the default one.

    Raises:
        NotFound: there is none.
    """
    if flow_id is None:
        flow = await flows.find_default_flow(session)
    else:
        flow = (await flows.find_flows(session, [flow_id])).get(flow_id)
    if flow is None:
        raise NotFound(noun="flow")
    return flow


async def hold_trace(session: Session, trace_id: TraceId) -> Trace:
    """Return a trace whose files are there, and hold its row until the transaction ends.

    Raises:
        NotFound: there is none.
        TraceDeleted: it is a tombstone.
    """
    trace = await traces.lock_trace(session, trace_id)
    if trace is None:
        raise NotFound(noun="trace")
    if trace.deleted_at is not None:
        raise TraceDeleted
    return trace
