"""The schema, assembled."""

from collections.abc import Mapping

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig

from gql_server.api.dicom import DicomMutations, DicomQueries
from gql_server.api.errors import ERROR_TYPES
from gql_server.api.events import EventQueries, Subscription
from gql_server.api.extensions import FreshLoaders, ParsedOnce, ValidatedOnce
from gql_server.api.flows import FlowQueries
from gql_server.api.jobs import JobMutations, JobQueries
from gql_server.api.keys import KeyMutations
from gql_server.api.limits import Budget
from gql_server.api.lineage import LineageQueries
from gql_server.api.masking import MaskedSchema
from gql_server.api.nodes import NodeQueries
from gql_server.api.packets import PacketQueries
from gql_server.api.scalars import SCALARS
from gql_server.api.traces import TraceMutations, TraceQueries
from gql_server.api.uploads import UploadMutations, UploadQueries
from gql_server.api.vendors import VendorQueries


@strawberry.type(description="What can be asked.")
class Query(
    NodeQueries,
    FlowQueries,
    TraceQueries,
    PacketQueries,
    DicomQueries,
    JobQueries,
    UploadQueries,
    LineageQueries,
    EventQueries,
    VendorQueries,
):
    """Queries."""


@strawberry.type(
    description="What can be done. Each field does one thing and says what kept it from happening in `errors`."
)
class Mutation(UploadMutations, TraceMutations, DicomMutations, JobMutations, KeyMutations):
    """Mutations."""


def build_schema() -> MaskedSchema:
    """Return the schema with its limits, caches and masks."""
    schema = MaskedSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=ERROR_TYPES,
        extensions=[Budget, ParsedOnce, ValidatedOnce, FreshLoaders],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
    )
    _forget_nulls(schema._schema.type_map)  # noqa: SLF001  # strawberry offers no other way to its types
    return schema


def _forget_nulls(types: Mapping[str, GraphQLNamedType]) -> None:
    """Drop `= null`, which strawberry adds to all that may be left out: it says nothing and hides what matters."""
    places: list[GraphQLArgument | GraphQLInputField] = []
    for type_ in types.values():
        if isinstance(type_, GraphQLObjectType):
            places += [argument for field in type_.fields.values() for argument in field.args.values()]
        elif isinstance(type_, GraphQLInputObjectType):
            places += type_.fields.values()
    for place in places:
        if place.default_value is None:
            place.default_value = Undefined


def export_schema() -> str:
    """Return the schema as text, as it is kept in `schema.graphql`."""
    return build_schema().as_str().rstrip() + "\n"
