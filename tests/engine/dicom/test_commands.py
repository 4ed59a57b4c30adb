import numpy as np
import pytest
from pynetdicom import dimse_messages

from gql_server.engine.dicom.commands import NAMES, UNKNOWN_COMMAND, command_facts
from gql_server.engine.dicom.data_sets import DataSet, DataSetReader
from tests.engine.dicom.byte_streams import held
from tests.engine.dicom.wire import command, implicit


def read(data: bytes) -> DataSet:
    return DataSetReader().read_command(held(data), np.array([(0, len(data))], np.int64), len(data), whole=True)


@pytest.mark.parametrize(("number", "name"), NAMES.items())
def test_a_command_is_told_by_its_field(number: int, name: str) -> None:
    assert command_facts(read(command(number))) == (name, False)
    assert command_facts(read(command(number, data=True))) == (name, True)


def test_the_names_are_those_of_pynetdicom() -> None:
    assert {number: name for number, (name, _) in dimse_messages._MESSAGE_TYPES.items()} == NAMES


def test_an_unknown_command_is_one_and_may_have_data() -> None:
    assert command_facts(read(command(0x7777))) == (UNKNOWN_COMMAND, False)
    assert command_facts(read(implicit(0x00000002, b"1.2\0"))) == (UNKNOWN_COMMAND, None)
    assert command_facts(read(b"")) == (UNKNOWN_COMMAND, None)
    assert command_facts(read(implicit(0x00000100, b"\1\0\0\0"))) == (UNKNOWN_COMMAND, None)


def test_a_command_set_holds_nothing_but_its_group() -> None:
    assert read(command(1) + implicit(0x00100010, b"DOE^JOHN")).problems
    assert not read(command(1)).problems
