from gql_server.domain.dicom import AssociationOutcome
from gql_server.engine.dicom.associations import AnsweredContext, AssociationPdu, ProposedContext
from gql_server.engine.dicom.negotiations import AssociationFacts, Negotiation, facts_of
from gql_server.engine.dicom.transfer_syntaxes import ANY_ENCODING, SyntaxSource, encodings_of
from tests.engine.dicom.wire import CT_STORAGE, EXPLICIT, IMPLICIT

REQUEST = AssociationPdu(
    calling_ae="MODALITY",
    implementation_uid="1.2.3",
    proposed={1: ProposedContext(CT_STORAGE, (IMPLICIT, EXPLICIT)), 3: ProposedContext(CT_STORAGE, (EXPLICIT,))},
)
ANSWER = AssociationPdu(
    calling_ae="OTHER",
    implementation_uid="1.2.4",
    answered={1: AnsweredContext(0, EXPLICIT), 3: AnsweredContext(4, None)},
)


def test_the_answer_decides_on_the_syntax() -> None:
    syntax = Negotiation(request=REQUEST, answer=ANSWER).syntax_of(1)
    assert syntax == (CT_STORAGE, EXPLICIT, SyntaxSource.NEGOTIATED, encodings_of(EXPLICIT))
    assert Negotiation(answer=ANSWER).syntax_of(1) == ("", EXPLICIT, SyntaxSource.NEGOTIATED, encodings_of(EXPLICIT))


def test_without_an_answer_a_single_proposal_does() -> None:
    assert Negotiation(request=REQUEST).syntax_of(3).source == SyntaxSource.PROPOSED
    several = Negotiation(request=REQUEST).syntax_of(1)
    assert (several.source, several.transfer_syntax) == (SyntaxSource.UNKNOWN, "")
    assert several.encodings == encodings_of(IMPLICIT) + encodings_of(EXPLICIT)


def test_of_an_unknown_context_nothing_is_known() -> None:
    assert Negotiation(request=REQUEST, answer=ANSWER).syntax_of(7) == ("", "", SyntaxSource.UNKNOWN, ANY_ENCODING)


def test_contexts_are_told_as_proposed_and_answered() -> None:
    contexts = Negotiation(request=REQUEST, answer=ANSWER).contexts()
    told = [
        (each.id, each.abstract_syntax, each.transfer_syntaxes, each.accepted_syntax, each.result) for each in contexts
    ]
    assert told == [(1, CT_STORAGE, (IMPLICIT, EXPLICIT), EXPLICIT, 0), (3, CT_STORAGE, (EXPLICIT,), None, 4)]
    assert [each.result for each in Negotiation(request=REQUEST).contexts()] == [None, None]
    assert [each.abstract_syntax for each in Negotiation(answer=ANSWER).contexts()] == ["", ""]


def test_an_outcome_is_told_by_what_came_last() -> None:
    assert Negotiation().outcome == AssociationOutcome.NOT_CAPTURED
    assert Negotiation(request=REQUEST).outcome == AssociationOutcome.UNANSWERED
    assert Negotiation(answer=ANSWER).outcome == AssociationOutcome.ACCEPTED
    assert Negotiation(request=REQUEST, rejected=True).outcome == AssociationOutcome.REJECTED
    assert Negotiation(request=REQUEST, answer=ANSWER, aborted=True).outcome == AssociationOutcome.ABORTED


def test_facts_are_those_told_first() -> None:
    several = [Negotiation(), Negotiation(answer=ANSWER), Negotiation(request=REQUEST)]
    assert facts_of(several) == AssociationFacts(
        calling_ae="MODALITY", client_implementation_uid="1.2.3", server_implementation_uid="1.2.4"
    )
    assert facts_of([]) == AssociationFacts()
