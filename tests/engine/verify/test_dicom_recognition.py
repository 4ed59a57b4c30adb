import pytest

from gql_server.engine.verify.dicom_recognition import begins_dicom, holds_command
from tests.engine.verify.dicom_traffic import NOW, WAS, command, conversation, p_data


def test_every_pdu_that_may_come_first_is_known() -> None:
    request, accept = (conversation(WAS)[i][1] for i in (0, 1))
    assert begins_dicom(request)
    assert begins_dicom(accept)
    assert begins_dicom(b"\3\0\0\0\0\4\0\1\1\1")
    assert begins_dicom(p_data(command(NOW), 3))


@pytest.mark.parametrize(
    "data", [b"", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00\x01\x00", bytes(100), b"\4\0\0\0\0\x0a" + b"x" * 20]
)
def test_others_are_not(data: bytes) -> None:
    assert not begins_dicom(data)


def test_a_command_is_found_in_the_middle() -> None:
    assert holds_command(b"junk" * 5 + p_data(command(WAS), 3))
    assert not holds_command(command(WAS))
    assert not holds_command(b"\0\0\0\0\4\0\0\0" * 9)
