"""Lineage: edges, and walks over them in one recursive query."""

from typing import Any

from sqlalchemy import text

from gql_server.domain.ids import ClientId, ExecutionId, TraceId, new_id
from gql_server.domain.lineage import Direction, EdgeKind, Lineage, LineageEdge, LineageNode, is_edge_allowed
from gql_server.store.database import Connection, Session
from gql_server.store.tables import LineageEdges

# An edge GENERATED points from the execution to the trace it made; the other kinds point from what came later to
# what it came from. `later` and `earlier` bring all of them into one sense.
_WALK = """
WITH RECURSIVE edge AS (
    SELECT kind, source_trace_id, source_execution_id, target_trace_id, target_execution_id,
        CASE WHEN kind = 'GENERATED' THEN target_trace_id ELSE coalesce(source_trace_id, source_execution_id) END
            AS later,
        CASE WHEN kind = 'GENERATED' THEN source_execution_id ELSE coalesce(target_trace_id, target_execution_id) END
            AS earlier
    FROM lineage_edges
), walk (node, depth) AS (
    SELECT CAST(:start AS uuid), 0
    UNION
    SELECT {next}, walk.depth + 1
    FROM walk JOIN edge ON {near} = walk.node
    WHERE walk.depth <= :depth
), reached AS (
    SELECT node, min(depth) AS depth FROM walk GROUP BY node
)
SELECT edge.*, near.depth AS near_depth, far.depth AS far_depth
FROM edge
JOIN reached AS near ON near.node = {near}
JOIN reached AS far ON far.node = {next}
"""

_UP = text(_WALK.format(next="edge.earlier", near="edge.later"))
_DOWN = text(_WALK.format(next="edge.later", near="edge.earlier"))


async def add_edge(session: Session, client_id: ClientId, edge: LineageEdge) -> None:
    """Add an edge; the only door to the table.

    Raises:
        ValueError: an edge of this kind cannot join these nodes.
    """
    source = LineageNode.TRACE if edge.source_trace_id else LineageNode.EXECUTION
    target = LineageNode.TRACE if edge.target_trace_id else LineageNode.EXECUTION
    if not is_edge_allowed(edge.kind, source, target):
        raise ValueError(edge.kind)
    session.add(
        LineageEdges(
            client_id=client_id,
            id=new_id(),
            kind=edge.kind.value,
            source_trace_id=edge.source_trace_id,
            source_execution_id=edge.source_execution_id,
            target_trace_id=edge.target_trace_id,
            target_execution_id=edge.target_execution_id,
        )
    )
    await session.flush()


async def walk(
    connection: Connection,
    *,
    trace_id: TraceId | None,
    execution_id: ExecutionId | None,
    direction: Direction,
    depth: int,
) -> Lineage:
    """Walk from one node towards its ancestors, its descendants or both, `depth` edges far."""
    start = trace_id or execution_id
    found = _Found(trace_id, execution_id, depth)
    if direction is not Direction.DESCENDANTS:
        found.take((await connection.execute(_UP, {"start": start, "depth": depth})).mappings().all())
    if direction is not Direction.ANCESTORS:
        found.take((await connection.execute(_DOWN, {"start": start, "depth": depth})).mappings().all())
    return found.lineage()


class _Found:
    """Edges and nodes met on the way."""

    def __init__(self, trace_id: TraceId | None, execution_id: ExecutionId | None, depth: int) -> None:
        self.edges: dict[LineageEdge, None] = {}
        self.traces: dict[TraceId, int] = {} if trace_id is None else {trace_id: 0}
        self.executions: dict[ExecutionId, int] = {} if execution_id is None else {execution_id: 0}
        self.depth = depth
        self.is_complete = True

    def take(self, rows: Any) -> None:
        for row in rows:
            if max(row["near_depth"], row["far_depth"]) > self.depth:
                self.is_complete = False
                continue
            edge = LineageEdge(
                kind=EdgeKind(row["kind"]),
                source_trace_id=row["source_trace_id"],
                source_execution_id=row["source_execution_id"],
                target_trace_id=row["target_trace_id"],
                target_execution_id=row["target_execution_id"],
            )
            self.edges[edge] = None
            far = row["far_depth"]
            for trace in (edge.source_trace_id, edge.target_trace_id):
                if trace is not None:
                    self.traces[trace] = min(self.traces.get(trace, far), far)
            for execution in (edge.source_execution_id, edge.target_execution_id):
                if execution is not None:
                    self.executions[execution] = min(self.executions.get(execution, far), far)

    def lineage(self) -> Lineage:
        return Lineage(
            edges=tuple(self.edges),
            trace_depths=self.traces,
            execution_depths=self.executions,
            is_complete=self.is_complete,
        )
