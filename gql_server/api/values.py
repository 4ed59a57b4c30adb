"""Values: the parts of nodes that point nowhere."""

from typing import Self

import strawberry

from gql_server.api.enums import RuleAction
from gql_server.api.scalars import SafeInt, Sha256
from gql_server.domain import jobs, rules


@strawberry.type(description="The link layer of an interface that was captured on.")
class LinkType:
    """A LINKTYPE_ value."""

    number: int = strawberry.field(description="The LINKTYPE_ value.")
    name: str | None = strawberry.field(description="Its name without the prefix, where it is a common one.")


@strawberry.type(description="What becomes of the addresses of a range; the longest source prefix wins.")
class AddressRule:
    """A rule."""

    source: str = strawberry.field(description="The addresses it is for, as CIDR.")
    action: RuleAction = strawberry.field(description="What it does with them.")
    target: str | None = strawberry.field(description="Where TRANSLATE sends them, as CIDR; null for the others.")

    @classmethod
    def of(cls, rule: rules.AddressRule) -> Self:
        """Show a rule."""
        target = str(rule.target) if rule.action is RuleAction.TRANSLATE else None
        return cls(source=str(rule.source), action=rule.action, target=target)


@strawberry.type(description="Give one device another vendor.")
class MacRule:
    """A rule."""

    original_mac: str = strawberry.field(description="The MAC address of the device.")
    target_oui: str = strawberry.field(description="The first three octets that it gets.")

    @classmethod
    def of(cls, rule: rules.MacRule) -> Self:
        """Show a rule."""
        return cls(original_mac=rule.original, target_oui=rule.oui)


@strawberry.type(description="How far the current attempt has come.")
class JobProgress:
    """Progress."""

    packets: SafeInt = strawberry.field(description="Packets handled.")
    bytes_done: SafeInt = strawberry.field(
        description="Bytes that were read; a transformation reads its capture twice, to rewrite it and to prove it."
    )
    bytes_total: SafeInt = strawberry.field(description="Bytes to read; 0 while not known.")
    fraction: float = strawberry.field(description="The share of the input that is done, 0 to 1.")

    @classmethod
    def of(cls, progress: jobs.Progress) -> Self:
        """Show progress."""
        return cls(
            packets=SafeInt(progress.packets),
            bytes_done=SafeInt(progress.bytes_done),
            bytes_total=SafeInt(progress.bytes_total),
            fraction=progress.fraction,
        )


@strawberry.type(description="A file that an execution made.")
class Artifact:
    """An artifact."""

    name: str = strawberry.field(description="Its file name, unique within the execution.")
    media_type: str = strawberry.field(description="What it holds.")
    size_bytes: SafeInt = strawberry.field(description="Its size.")
    sha256: Sha256 = strawberry.field(description="Its digest.")
    download_url: str = strawberry.field(description="Where it is, from the server's root.")

    @classmethod
    def of(cls, row: jobs.Artifact) -> Self:
        """Show a row."""
        return cls(
            name=row.name,
            media_type=row.media_type,
            size_bytes=SafeInt(row.size_bytes),
            sha256=Sha256(row.sha256),
            download_url=f"/executions/{row.execution_id}/artifacts/{row.name}",
        )
