"""Lineage edges: which nodes each kind may join."""

from gql_server.domain.lineage import EdgeKind, LineageNode, is_edge_allowed


def test_only_executions_use_and_generate() -> None:
    for kind in (EdgeKind.USED, EdgeKind.GENERATED):
        assert is_edge_allowed(kind, LineageNode.EXECUTION, LineageNode.TRACE)
        assert not is_edge_allowed(kind, LineageNode.TRACE, LineageNode.TRACE)


def test_only_traces_are_derived_from_traces() -> None:
    assert is_edge_allowed(EdgeKind.DERIVED_FROM, LineageNode.TRACE, LineageNode.TRACE)
    assert not is_edge_allowed(EdgeKind.DERIVED_FROM, LineageNode.EXECUTION, LineageNode.TRACE)


def test_an_execution_cannot_generate_an_execution() -> None:
    assert not is_edge_allowed(EdgeKind.GENERATED, LineageNode.EXECUTION, LineageNode.EXECUTION)
    assert is_edge_allowed(EdgeKind.USED, LineageNode.EXECUTION, LineageNode.EXECUTION)
