"""Limits: what a document may ask for, in linear time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)
from strawberry.extensions import SchemaExtension

from gql_server.api.paging import check_page_size
from gql_server.api.scalars import refusal
from gql_server.domain.errors import InvalidInput
from gql_server.domain.paging import DEFAULT_PAGE_SIZE

MAX_CHARACTERS = 15_000
MAX_TOKENS = 1_000
MAX_DEPTH = 12
MAX_NESTING = 40
MAX_FIELDS = 400
MAX_SELECTIONS = 100
MAX_ALIASES = 30
MAX_DIRECTIVES = 50
MAX_DIRECTIVES_AT_ONE_PLACE = 4
MAX_FRAGMENTS = 30
MAX_QUERY_ROOTS = 20
MAX_MUTATION_ROOTS = 5
MAX_ROWS = 5_000

LISTS = frozenset(
    {
        "conversations",
        "dicomAssociations",
        "dicomDevices",
        "dicomOverrides",
        "events",
        "executions",
        "flows",
        "ipMacPairs",
        "jobs",
        "nodes",
        "ouiVendors",
        "packets",
        "previewDicomDeidentification",
        "previewTransformation",
        "protocols",
        "subnets",
        "talkers",
        "traces",
    }
)
"""Fields that answer with a list whose length the caller chooses."""

PAGE_SIZES = frozenset({"first", "last"})
INTROSPECTION = frozenset({"__schema", "__type"})
"""Their trees are deep by nature and read no rows; graphql-core bounds them by a rule of its own."""

SATURATION = 10**6


def exceeded(limit: str, maximum: int) -> GraphQLError:
    """Return the error for a document that asks for too much."""
    extensions = {"code": "LIMIT_EXCEEDED", "limit": limit, "maximum": maximum}
    return GraphQLError(f"The document asks for too much: at most {maximum} {limit}.", extensions=extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How large a selection is once its fragments are spread."""

    depth: int = 0
    width: int = 0
    """Fields at the selection's own level."""
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    rows: int = 0

    def beside(self, other: "Measure") -> "Measure":
        """Return the measure of two selections of one set."""
        return Measure(
            depth=max(self.depth, other.depth),
            width=min(SATURATION, self.width + other.width),
            fields=min(SATURATION, self.fields + other.fields),
            aliases=min(SATURATION, self.aliases + other.aliases),
            directives=min(SATURATION, self.directives + other.directives),
            rows=min(SATURATION, self.rows + other.rows),
        )


class Ruler:
    """Measures a document; each fragment once, so that a chain of fragments costs what it is long."""

    def __init__(self, document: DocumentNode, variables: dict[str, Any]) -> None:
        self._variables = _defaults(document) | variables
        definitions = document.definitions
        self.operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
        self._fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
        self._measured: dict[str, Measure] = {}
        self._open: set[str] = set()
        if len(self._fragments) > MAX_FRAGMENTS:
            raise exceeded("fragments", MAX_FRAGMENTS)

    def measure(self, selections: SelectionSetNode | None, level: int = 0, within: str = "") -> Measure:
        """Measure a set of selections within a field.

        Raises:
            GraphQLError: it is too wide or nested too deeply to go on.
        """
        entries = () if selections is None else selections.selections or ()
        if len(entries) > MAX_SELECTIONS:
            raise exceeded("selections in one place", MAX_SELECTIONS)
        if level > MAX_NESTING:
            raise exceeded("levels", MAX_DEPTH)
        total = Measure()
        for entry in entries:
            directives = len(entry.directives or ())
            if directives > MAX_DIRECTIVES_AT_ONE_PLACE:
                raise exceeded("directives in one place", MAX_DIRECTIVES_AT_ONE_PLACE)
            part = self._measure_entry(entry, level + 1, within)
            total = total.beside(replace(part, directives=part.directives + directives))
        return total

    def _measure_entry(self, entry: SelectionNode, level: int, within: str) -> Measure:
        if isinstance(entry, FieldNode):
            return self._measure_field(entry, level, within)
        if isinstance(entry, InlineFragmentNode):
            return self.measure(entry.selection_set, level, within)
        return self._measure_fragment(entry.name.value, level, within)  # type: ignore[attr-defined]  # a spread is what is left

    def _measure_field(self, field: FieldNode, level: int, within: str) -> Measure:
        name = field.name.value
        inside = self.measure(field.selection_set, level, name)
        rows = inside.rows
        # A page of `events` names its own list alike: the same rows, not rows of rows. A trace's `packets` is a count.
        if _sizes(field) or (name in LISTS and name != within and field.selection_set):
            rows = self._page_size(field) * (1 + inside.rows)
        return Measure(
            depth=1 if name in INTROSPECTION else inside.depth + 1,
            width=1,
            fields=inside.fields + 1,
            aliases=inside.aliases + (field.alias is not None),
            directives=inside.directives,
            rows=min(SATURATION, rows),
        )

    def _measure_fragment(self, name: str, level: int, within: str) -> Measure:
        fragment = self._fragments.get(name)
        # Validation has better words for a fragment that is unknown or spreads itself.
        if fragment is None or name in self._open:
            return Measure()
        if name not in self._measured:
            self._open.add(name)
            self._measured[name] = self.measure(fragment.selection_set, level, within)
            self._open.discard(name)
        return self._measured[name]

    def _page_size(self, field: FieldNode) -> int:
        for argument, value in _sizes(field):
            size = self._value(value)
            if isinstance(size, int) and not isinstance(size, bool):
                try:
                    check_page_size(argument, size)
                except InvalidInput as error:
                    raise refusal(error.code, str(error)) from error
                return size
        for each in field.arguments or ():
            ids = self._value(each.value)
            if each.name.value == "ids" and isinstance(ids, list):
                return len(ids)
        return DEFAULT_PAGE_SIZE

    def _value(self, node: ValueNode) -> object:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        if isinstance(node, IntValueNode):
            return int(node.value)
        if isinstance(node, ListValueNode):
            return list(node.values or ())
        return None


def _sizes(field: FieldNode) -> list[tuple[str, ValueNode]]:
    return [(each.name.value, each.value) for each in field.arguments or () if each.name.value in PAGE_SIZES]


def _defaults(document: DocumentNode) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            for variable in operation.variable_definitions or ():
                if isinstance(variable.default_value, IntValueNode):
                    defaults[variable.variable.name.value] = int(variable.default_value.value)
    return defaults


def check_document(document: DocumentNode, variables: dict[str, Any]) -> None:
    """Refuse a document that asks for too much.

    Raises:
        GraphQLError: it goes beyond a limit, or asks for a page that is empty or too large.
    """
    ruler = Ruler(document, variables)
    for operation in ruler.operations:
        size = ruler.measure(operation.selection_set)
        roots = MAX_MUTATION_ROOTS if operation.operation is OperationType.MUTATION else MAX_QUERY_ROOTS
        own = len(operation.directives or ())
        own += sum(len(variable.directives or ()) for variable in operation.variable_definitions or ())
        for limit, maximum, amount in (
            ("levels", MAX_DEPTH, size.depth),
            ("fields", MAX_FIELDS, size.fields),
            ("aliases", MAX_ALIASES, size.aliases),
            ("directives", MAX_DIRECTIVES, size.directives + own),
            ("fields at the root", roots, size.width),
            ("rows", MAX_ROWS, size.rows),
        ):
            if amount > maximum:
                raise exceeded(limit, maximum)


class Budget(SchemaExtension):
    """Refuses a document before it is validated: validation itself takes quadratic time."""

    def on_operation(self) -> Iterator[None]:
        """Bound the lexer."""
        self.execution_context.parse_options["max_tokens"] = MAX_TOKENS
        yield

    def on_validate(self) -> Iterator[None]:
        """Bound the document."""
        try:
            if len(self.execution_context.query or "") > MAX_CHARACTERS:
                raise exceeded("characters", MAX_CHARACTERS)
            if self.execution_context.graphql_document is not None:
                check_document(self.execution_context.graphql_document, self.execution_context.variables or {})
        except GraphQLError as error:
            self.execution_context.pre_execution_errors = [error]
        yield
