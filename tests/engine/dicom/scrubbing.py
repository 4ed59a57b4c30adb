"""Everything a reader finds made zero: what is left of a stream was read by nobody but as structure."""

from gql_server.engine.dicom.data_sets import DataSet
from gql_server.engine.dicom.elements import AT, KIND, LENGTH, OUTSIDE, SEQUENCE
from gql_server.engine.dicom.messages import AssociationReader, Message
from tests.engine.dicom.byte_streams import HeldConnection
from tests.engine.dicom.walks import assert_laws


def scrub(connection: HeldConnection) -> tuple[AssociationReader, list[Message]]:
    """Read a connection and blank fields, values and what is unreadable."""
    reader = AssociationReader.find(connection)
    assert isinstance(reader, AssociationReader)
    messages = []
    for message in reader.messages():
        messages.append(message)
        for data in (message.command, message.data):
            if data is not None:
                assert_laws(data)
                blank(data)
    for field in reader.fields:
        connection.streams[field.side].fill(field.at, field.count)
    for span in reader.unreadable:
        connection.streams[span.side].fill(span.at, span.count)
    return reader, messages


def blank(data: DataSet) -> None:
    for row, element in enumerate(data.elements.tolist()):
        if element[KIND] == OUTSIDE:
            data.fill_outside(row, 0)
        elif element[KIND] != SEQUENCE:
            data.values[element[AT] : element[AT] + element[LENGTH]] = 0
    if not data.save():
        data.discard()
