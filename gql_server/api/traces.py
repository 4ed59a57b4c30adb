"""Traces: queries and mutations."""

from functools import partial
from typing import Annotated

import strawberry

from gql_server.api.context import Info
from gql_server.api.enums import AddressMapping, MacMapping, RuleAction
from gql_server.api.errors import UserError, settle
from gql_server.api.fields import THE_INPUT, field, mutation
from gql_server.api.ids import GlobalId
from gql_server.api.loaders import one
from gql_server.api.paging import After, Before, Connection, First, Last, check_page_size, page_request
from gql_server.api.types import Trace, trace_connection
from gql_server.api.values import AddressRule
from gql_server.domain import traces as rows
from gql_server.domain.anonymization import AddressPair, AnonymizationParameters
from gql_server.domain.errors import RuleMalformed
from gql_server.domain.ids import FlowId, TraceId
from gql_server.domain.paging import MAX_PAGE_SIZE
from gql_server.services import traces as services

TracesId = Annotated[GlobalId, strawberry.argument(description="The id of the trace.")]
OfFlow = Annotated[GlobalId | None, strawberry.argument(description="Only those of this flow.")]
Mapping = Annotated[AddressMapping, strawberry.argument(description="How addresses without a rule are mapped.")]
OfMacs = Annotated[MacMapping, strawberry.argument(description="How MAC addresses are mapped.")]
Pairs = Annotated[int, strawberry.argument(description="How many pairs at most, 1 to 100.")]

ERRORS = "What kept it from happening; empty when it did."


@strawberry.type(description="An address and what becomes of it.")
class TransformedAddress:
    """A pair."""

    original: str = strawberry.field(description="The address in the trace.")
    replacement: str = strawberry.field(description="The address that the transformation will write.")
    kind: str = strawberry.field(description="IPV4, IPV6 or MAC.")

    @classmethod
    def of(cls, pair: AddressPair) -> "TransformedAddress":
        """Show a pair."""
        return cls(original=pair.original, replacement=pair.replacement, kind=pair.kind)


@strawberry.type(description="The first distinct addresses of a trace, exactly as a job would write them now.")
class TransformationPreview:
    """A preview."""

    pairs: list[TransformedAddress] = strawberry.field(description="The pairs, in the order of the trace.")
    errors: list[UserError] = strawberry.field(description="What kept it from being made; empty when it was.")


@strawberry.type
class TraceQueries:
    """Queries about traces."""

    @field("One trace, or its tombstone; null if there is none of this id that you may see.")
    async def trace(self, info: Info, id: TracesId) -> Trace | None:  # noqa: A002  # the name is the contract's
        """Load it."""
        own = id.of_or_none("Trace")
        return await one(info.context.loaders.traces, None if own is None else TraceId(own), Trace.of)

    @field("The traces that you may see, without those that were deleted.")
    async def traces(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        flow_id: OfFlow = None,
    ) -> Connection[Trace]:
        """List them."""
        page = page_request(first=first, after=after, last=last, before=before)
        return await trace_connection(info, page, flow_id=None if flow_id is None else FlowId(flow_id.of("Flow")))

    @field("What an address anonymization of this trace would do, without doing it.")
    async def preview_transformation(
        self,
        info: Info,
        trace_id: TracesId,
        mapping: Mapping = AddressMapping.IPCRYPT_PFX,
        mac_mapping: OfMacs = MacMapping.PERMUTATION,
        first: Pairs = MAX_PAGE_SIZE,
    ) -> TransformationPreview:
        """Ask a child process.

        Raises:
            InvalidInput: the number of pairs is out of bounds.
        """
        check_page_size("first", first)

        async def preview() -> tuple[AddressPair, ...]:
            return await services.preview_transformation(
                info.context.resources,
                info.context.actor,
                trace_id=TraceId(trace_id.of("Trace")),
                parameters=AnonymizationParameters(mapping=mapping, mac_mapping=mac_mapping),
                first=first,
            )

        pairs, errors = await settle(info.context, preview)
        return TransformationPreview(pairs=[TransformedAddress.of(pair) for pair in pairs or ()], errors=errors)


@strawberry.input(description="A rule: what becomes of the addresses of a range.")
class AddressRuleInput:
    """A rule."""

    source: str = strawberry.field(description="The addresses it is for, as CIDR with its host bits zero.")
    action: RuleAction = strawberry.field(default=RuleAction.TRANSLATE, description="What to do with them.")
    target: str | None = strawberry.field(
        default=None, description="Where TRANSLATE sends them, as CIDR, at least as large as the source."
    )

    def as_text(self, index: int) -> tuple[str, str]:
        """Return the rule as a pair of text.

        Raises:
            RuleMalformed: a target stands where none belongs, or is missing.
        """
        if (self.target is None) == (self.action is RuleAction.TRANSLATE):
            raise RuleMalformed(index=index, reason="TRANSLATE takes a target, and nothing else does")
        return self.source, self.target or self.action.value


@strawberry.input(description="What `setAddressRules` is to do.")
class SetAddressRulesInput:
    """All rules at once."""

    trace_id: GlobalId = strawberry.field(description="The trace whose next anonymization is meant.")
    rules: list[AddressRuleInput] = strawberry.field(
        description="All rules, at most 1000, in any order; they take the place of those before."
    )


@strawberry.input(description="A rule: give one device another vendor, named by `targetVendor` or by `targetOui`.")
class MacRuleInput:
    """A rule."""

    original_mac: str = strawberry.field(description="The MAC address of the device.")
    target_vendor: str | None = strawberry.field(
        default=None, description="The vendor's name as `ouiVendors` has it; its first OUI is taken."
    )
    target_oui: str | None = strawberry.field(default=None, description="The first three octets, such as 00:00:5e.")


@strawberry.input(description="What `setMacRules` is to do.")
class SetMacRulesInput:
    """All rules at once."""

    trace_id: GlobalId = strawberry.field(description="The trace whose next MAC transformation is meant.")
    rules: list[MacRuleInput] = strawberry.field(
        description="All rules, at most 1000; they take the place of those before."
    )


@strawberry.input(description="What `renameTrace` is to do.")
class RenameTraceInput:
    """A new name."""

    trace_id: GlobalId = strawberry.field(description="The trace.")
    name: str = strawberry.field(description="What to call it from now on.")


@strawberry.input(description="What `deleteTrace` is to do.")
class DeleteTraceInput:
    """Which one."""

    trace_id: GlobalId = strawberry.field(description="The trace.")


@strawberry.type(description="What became of `setAddressRules`.")
class SetAddressRulesPayload:
    """The outcome."""

    trace: Trace | None = strawberry.field(description="The trace with its rules; null when they were not taken.")
    errors: list[UserError] = strawberry.field(description=ERRORS)

    @field("The rules as they were understood, the longest source prefix first.")
    def rules(self) -> list[AddressRule]:
        """Show them."""
        return [] if self.trace is None else self.trace.address_rules


@strawberry.type(description="What became of `setMacRules`.")
class SetMacRulesPayload:
    """The outcome."""

    trace: Trace | None = strawberry.field(description="The trace with its rules; null when they were not taken.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `renameTrace`.")
class RenameTracePayload:
    """The outcome."""

    trace: Trace | None = strawberry.field(description="The trace under its new name.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of `deleteTrace`.")
class DeleteTracePayload:
    """The outcome."""

    trace: Trace | None = strawberry.field(description="The tombstone.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


def _shown(row: rows.Trace | None) -> Trace | None:
    return None if row is None else Trace.of(row)


@strawberry.type
class TraceMutations:
    """Mutations of traces."""

    @mutation("Check and store the rules that the trace's next address anonymization will obey.")
    async def set_address_rules(
        self,
        info: Info,
        input: Annotated[SetAddressRulesInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> SetAddressRulesPayload:
        """Set them."""
        act = partial(services.set_address_rules, info.context.resources, info.context.actor)
        row, errors = await settle(
            info.context,
            lambda: act(
                trace_id=TraceId(input.trace_id.of("Trace")),
                rules=[rule.as_text(index) for index, rule in enumerate(input.rules)],
            ),
        )
        return SetAddressRulesPayload(trace=_shown(row), errors=errors)

    @mutation("Check and store the rules that the trace's next MAC transformation will obey.")
    async def set_mac_rules(
        self,
        info: Info,
        input: Annotated[SetMacRulesInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> SetMacRulesPayload:
        """Set them."""
        act = partial(services.set_mac_rules, info.context.resources, info.context.actor)
        rules = [
            services.WantedMacRule(original=rule.original_mac, vendor=rule.target_vendor, oui=rule.target_oui)
            for rule in input.rules
        ]
        row, errors = await settle(info.context, lambda: act(trace_id=TraceId(input.trace_id.of("Trace")), rules=rules))
        return SetMacRulesPayload(trace=_shown(row), errors=errors)

    @mutation("Call a trace something else.")
    async def rename_trace(
        self,
        info: Info,
        input: Annotated[RenameTraceInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> RenameTracePayload:
        """Rename it."""
        act = partial(services.rename_trace, info.context.resources, info.context.actor)
        row, errors = await settle(
            info.context, lambda: act(trace_id=TraceId(input.trace_id.of("Trace")), name=input.name)
        )
        return RenameTracePayload(trace=_shown(row), errors=errors)

    @mutation("Delete the file of a trace. The lineage keeps its tombstone.")
    async def delete_trace(
        self,
        info: Info,
        input: Annotated[DeleteTraceInput, THE_INPUT],  # noqa: A002  # the name is the contract's
    ) -> DeleteTracePayload:
        """Delete it."""
        act = partial(services.delete_trace, info.context.resources, info.context.actor)
        row, errors = await settle(info.context, lambda: act(trace_id=TraceId(input.trace_id.of("Trace"))))
        return DeleteTracePayload(trace=_shown(row), errors=errors)
