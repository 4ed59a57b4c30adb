"""Associations and devices as the engine tells them, beside what pynetdicom and pydicom read."""

import random
from collections import Counter

import pytest

from gql_server.domain.dicom import AssociationOutcome, DicomAssociation
from tests.dicom.mutations import DEGRADED, LOSSLESS
from tests.dicom.outcomes import Engine
from tests.dicom.planting import Kind
from tests.dicom.rereading import Association, associations_in
from tests.dicom.scenes import Recording
from tests.dicom.wire import capture_of

NAMES = {
    0x0001: "C-STORE",
    0x0010: "C-GET",
    0x0020: "C-FIND",
    0x0021: "C-MOVE",
    0x0030: "C-ECHO",
    0x0120: "N-SET",
    0x0130: "N-ACTION",
    0x0140: "N-CREATE",
}
OUTCOMES = {
    3: AssociationOutcome.REJECTED,
    6: AssociationOutcome.ACCEPTED,
    7: AssociationOutcome.ABORTED,
}
"""By the highest type of its PDUs: a rejection, the answer to a release, an abort."""


def name_of(field: int) -> str:
    return NAMES[field & 0x7FFF] + ("-RSP" if field & 0x8000 else "-RQ")


def told(data: bytes, engine: Engine) -> list[tuple[DicomAssociation, Association]]:
    return list(zip(engine.extract(data).associations, associations_in(data), strict=True))


@pytest.mark.parametrize("name", ["interleaved", "tiny", "odd port", "port reuse"])
def test_associations_are_told_as_they_are_read(recording: Recording, engine: Engine, name: str) -> None:
    for one, read in told(LOSSLESS[name](recording.wire, random.Random(1)).file(), engine):
        request = read.decoded[0]
        assert (one.calling_ae, one.called_ae) == (request.calling_ae_title, request.called_ae_title)
        assert one.messages == Counter(name_of(message.command.CommandField) for message in read.messages)
        assert one.data_sets == sum(bool(message.data) for message in read.messages)
        assert len(one.contexts) == len(request.presentation_context)
        assert one.outcome is OUTCOMES[max(kind for _, kind, _ in read.pdus)]
        assert one.bytes == sum(6 + length for _, _, length in read.pdus)
        assert (one.bytes_unreadable, one.problems) == (0, ())


def test_syntaxes_and_results_are_those_that_were_negotiated(recording: Recording, engine: Engine) -> None:
    for one, read in told(capture_of(recording.wire).file(), engine):
        answers = {
            context.context_id: (context.result, str(context.transfer_syntax))
            for answer in read.decoded[1:]
            for context in answer.presentation_context
        }
        proposed = {context.context_id: context for context in read.decoded[0].presentation_context}
        for context in one.contexts:
            assert context.abstract_syntax == proposed[context.id].abstract_syntax
            assert list(context.transfer_syntaxes) == [str(each) for each in proposed[context.id].transfer_syntax]
            if answers:
                assert (context.result, context.accepted_syntax) == answers[context.id]


def test_the_device_behind_an_address_is_named(recording: Recording, engine: Engine) -> None:
    extracted = engine.extract(capture_of(recording.wire).file())
    station = next(one.text for one in recording.oracle if one.place == "StationName")
    serial = next(one.text for one in recording.oracle if one.place == "DeviceSerialNumber")
    devices = [one for one in extracted.devices if station in one.station_name]
    assert devices
    assert all(serial in one.serial_number for one in devices)
    assert any("GE MEDICAL SYSTEMS" in one.manufacturer for one in devices)
    titles = {one.text for one in recording.oracle if one.kind is Kind.AE_TITLE}
    assert {title for one in extracted.devices for title in one.ae_titles} <= titles


def test_what_was_not_captured_is_told(recording: Recording, engine: Engine) -> None:
    extracted = engine.extract(DEGRADED["no association"](recording.wire, random.Random(1)).file())
    outcomes = Counter(one.outcome for one in extracted.associations)
    assert outcomes[AssociationOutcome.ABORTED] == 1
    assert set(outcomes) == {AssociationOutcome.ABORTED, AssociationOutcome.NOT_CAPTURED}
    assert all(one.calling_ae == "" for one in extracted.associations)
    assert sum(one.data_sets for one in extracted.associations) > 50
