import numpy as np

from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.domain.verification import VerificationReason
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dictionary import dictionary_for
from gql_server.engine.verify.dicom_judge import Asked, StreamJudge
from gql_server.engine.verify.dicom_values import ValueJudge
from tests.engine.verify.dicom_traffic import DEFLATED, WAS, conversation, data_set, deflated, encoded, p_data
from tests.engine.verify.test_dicom_reading import IS, WILL, chunks, read


def judge() -> StreamJudge:
    expected = DicomExpectation()
    dictionary = dictionary_for(expected)
    return StreamJudge(expected, dictionary, ValueJudge(expected))


def marks(was: bytes, now: bytes, *places: tuple[int, int]) -> list[int]:
    asked = Asked(targets=np.array(places, np.int64).reshape(-1), marks=np.zeros(len(places), np.int64))
    judge().read(chunks(was, now, 50), {1: d.EXPLICIT}, asked)
    return [int(mark) for mark in asked.marks]


def test_places_are_told_by_what_stands_there() -> None:
    header, name = 3, WILL.index(b"ZEPHYRQ")
    modality, blank = WILL.index(b"CS\2\0CT") + 4, WILL.index(b" " * 20)
    places = [(header, header + 2), (modality, modality + 2), (blank, blank + 9), (name, name + 7)]
    assert marks(IS, WILL, *places) == [0, d.PLACE_KEPT, d.PLACE_BLANK, d.PLACE_REWRITTEN]
    across = [(modality - 4, modality + 1)]
    assert marks(IS, WILL, *across) == [d.PLACE_KEPT]


def test_association_pdus_are_marked_as_a_whole() -> None:
    request = conversation(WAS)[0][1]
    assert marks(request, request, (12, 16)) == [d.PLACE_KEPT]


def test_a_deflated_data_set_that_cannot_be_read_must_be_zero() -> None:
    body = deflated(encoded(data_set(WAS), DEFLATED))
    bad = p_data(body[:-20], 2)
    assert read(bad, bad, syntax=d.DEFLATED).state[d.LEFT] > 0
    assert read(bad, bad[:12] + bytes(len(bad) - 12), syntax=d.DEFLATED).state[d.LEFT] == 0
    whole = p_data(body[:50], 0) + p_data(body[50:], 2)
    hole = (100, 150)
    assert read(whole, whole, syntax=d.DEFLATED, hole=hole).state[d.LEFT] > 0


def test_deflated_values_stand_nowhere_in_the_file() -> None:
    body = p_data(deflated(encoded(data_set(WAS), DEFLATED)), 2)
    one = read(body, body, syntax=d.DEFLATED)
    assert one.deflated_kept == one.state[d.KEPT_BYTES] > 0
    assert VerificationReason.VALUE_KEPT in one._values.reasons | one._values.pseudonyms.conclude()
