"""Lineage: which edges may join which nodes (W3C PROV)."""

from dataclasses import dataclass
from enum import StrEnum

from gql_server.domain.ids import ExecutionId, TraceId


class EdgeKind(StrEnum):
    """The relation an edge states; read it from the first node to the second."""

    USED = "USED"
    """An execution used a trace or another execution."""
    GENERATED = "GENERATED"
    """An execution generated a trace."""
    DERIVED_FROM = "DERIVED_FROM"
    """A trace was derived from a trace."""


class LineageNode(StrEnum):
    """What an edge may join."""

    TRACE = "TRACE"
    EXECUTION = "EXECUTION"


class Direction(StrEnum):
    """Which way to walk from a node."""

    ANCESTORS = "ANCESTORS"
    DESCENDANTS = "DESCENDANTS"
    BOTH = "BOTH"


ALLOWED_EDGES: frozenset[tuple[EdgeKind, LineageNode, LineageNode]] = frozenset(
    {
        (EdgeKind.USED, LineageNode.EXECUTION, LineageNode.TRACE),
        (EdgeKind.USED, LineageNode.EXECUTION, LineageNode.EXECUTION),
        (EdgeKind.GENERATED, LineageNode.EXECUTION, LineageNode.TRACE),
        (EdgeKind.DERIVED_FROM, LineageNode.TRACE, LineageNode.TRACE),
    }
)


def is_edge_allowed(kind: EdgeKind, source: LineageNode, target: LineageNode) -> bool:
    """Say whether an edge of this kind may lead from one kind of node to the other."""
    return (kind, source, target) in ALLOWED_EDGES


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageEdge:
    """One edge, from what came later to what it came from (GENERATED: from execution to trace)."""

    kind: EdgeKind
    source_trace_id: TraceId | None
    source_execution_id: ExecutionId | None
    target_trace_id: TraceId | None
    target_execution_id: ExecutionId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The part of the graph that was walked: edges, and the ids of all nodes they join, with their distance."""

    edges: tuple[LineageEdge, ...]
    trace_depths: dict[TraceId, int]
    execution_depths: dict[ExecutionId, int]
    is_complete: bool
    """Whether nothing lies beyond the depth that was asked for."""
