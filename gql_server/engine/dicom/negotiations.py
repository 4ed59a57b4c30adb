"""What both sides of a connection agreed on.

One connection may carry several associations, one after the other. The request is in one stream and the answer in the
other, so they are brought together by their order.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from gql_server.domain.dicom import AssociationOutcome, PresentationContext
from gql_server.engine.dicom.associations import AssociationPdu
from gql_server.engine.dicom.transfer_syntaxes import ANY_ENCODING, Encoding, SyntaxSource, encodings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationFacts:
    """What the PDUs say that opened the association; empty where they were not captured."""

    calling_ae: str = ""
    called_ae: str = ""
    client_implementation_uid: str = ""
    client_implementation_version: str = ""
    server_implementation_uid: str = ""
    server_implementation_version: str = ""


class Syntax(NamedTuple):
    """What is known of a presentation context."""

    abstract_syntax: str
    transfer_syntax: str
    """Empty if none is known."""
    source: SyntaxSource
    encodings: tuple[Encoding, ...]


_NOTHING_KNOWN = Syntax("", "", SyntaxSource.UNKNOWN, ANY_ENCODING)


@dataclass(slots=True, eq=False, kw_only=True)
class Negotiation:
    """One association's request and answer, as far as they were captured."""

    request: AssociationPdu | None = None
    answer: AssociationPdu | None = None
    rejected: bool = False
    aborted: bool = False
    _syntaxes: dict[int, Syntax] = field(default_factory=dict)

    @property
    def outcome(self) -> AssociationOutcome:
        """How it ended."""
        if self.rejected:
            return AssociationOutcome.REJECTED
        if self.aborted:
            return AssociationOutcome.ABORTED
        if self.answer is not None:
            return AssociationOutcome.ACCEPTED
        return AssociationOutcome.NOT_CAPTURED if self.request is None else AssociationOutcome.UNANSWERED

    def syntax_of(self, context: int) -> Syntax:
        """Return what is known of a presentation context."""
        syntax = self._syntaxes.get(context)
        if syntax is None:
            syntax = self._syntaxes[context] = self._find_syntax(context)
        return syntax

    def _find_syntax(self, context: int) -> Syntax:
        proposed = self.request.proposed.get(context) if self.request else None
        answered = self.answer.answered.get(context) if self.answer else None
        abstract = proposed.abstract_syntax if proposed else ""
        if answered and answered.result == 0 and answered.transfer_syntax:
            syntax = answered.transfer_syntax
            return Syntax(abstract, syntax, SyntaxSource.NEGOTIATED, encodings_of(syntax))
        if proposed and proposed.transfer_syntaxes:
            syntaxes = proposed.transfer_syntaxes
            encodings = tuple(dict.fromkeys(one for syntax in syntaxes for one in encodings_of(syntax)))
            only = len(syntaxes) == 1
            source = SyntaxSource.PROPOSED if only else SyntaxSource.UNKNOWN
            return Syntax(abstract, syntaxes[0] if only else "", source, encodings)
        return _NOTHING_KNOWN._replace(abstract_syntax=abstract)

    def contexts(self) -> list[PresentationContext]:
        """Return the presentation contexts, by number."""
        proposed = self.request.proposed if self.request else {}
        answered = self.answer.answered if self.answer else {}
        found = []
        for context in sorted({*proposed, *answered}):
            asked, told = proposed.get(context), answered.get(context)
            accepted = told.transfer_syntax if told and told.result == 0 else None
            found.append(
                PresentationContext(
                    id=context,
                    abstract_syntax=asked.abstract_syntax if asked else "",
                    transfer_syntaxes=asked.transfer_syntaxes if asked else (),
                    accepted_syntax=accepted,
                    result=told.result if told else None,
                )
            )
        return found


def facts_of(negotiations: list[Negotiation]) -> AssociationFacts:
    """Return the facts of several associations on one connection: of each the first one told."""
    requests = [each.request for each in negotiations if each.request]
    answers = [each.answer for each in negotiations if each.answer]
    both = [*requests, *answers]
    return AssociationFacts(
        calling_ae=next((pdu.calling_ae for pdu in both if pdu.calling_ae), ""),
        called_ae=next((pdu.called_ae for pdu in both if pdu.called_ae), ""),
        client_implementation_uid=next((pdu.implementation_uid for pdu in requests if pdu.implementation_uid), ""),
        client_implementation_version=next(
            (pdu.implementation_version for pdu in requests if pdu.implementation_version), ""
        ),
        server_implementation_uid=next((pdu.implementation_uid for pdu in answers if pdu.implementation_uid), ""),
        server_implementation_version=next(
            (pdu.implementation_version for pdu in answers if pdu.implementation_version), ""
        ),
    )
