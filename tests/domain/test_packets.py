import pytest

from gql_server.domain.errors import InvalidInput
from gql_server.domain.packets import ConversationKey


@pytest.mark.parametrize(
    "text",
    [
        "17 10.0.0.1 53 10.0.0.2 65535",
        "1 10.0.0.1 - 10.0.0.2 -",
        "6 2001:db8::1 0 fe80::2 443",
        "255 :: - :: -",
    ],
)
def test_a_key_is_read_as_it_is_written(text: str) -> None:
    key = ConversationKey.parse(text)
    assert str(key) == text
    assert key.turned().turned() == key
    assert (key.turned().source, key.turned().source_port) == (key.destination, key.destination_port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "17 10.0.0.1 53 10.0.0.2",
        "17 10.0.0.1 53 10.0.0.2 5 6",
        "TCP 10.0.0.1 53 10.0.0.2 5",
        "256 10.0.0.1 53 10.0.0.2 5",
        "17 10.0.0.1 65536 10.0.0.2 5",
        "17 10.0.0.1 -1 10.0.0.2 5",
        "17 10.0.0.1 ² 10.0.0.2 5",
        "17 10.0.0.1 05 10.0.0.2 5",
        "17 10.0.0.1 - 10.0.0.2 5",
        "17 10.0.0.1 5 2001:db8::1 5",
        "17 2001:DB8::1 5 2001:db8::1 5",
        "17 10.0.0.300 5 10.0.0.2 5",
        " 17 10.0.0.1 53 10.0.0.2 53",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ConversationKey.parse(text)
    assert refused.value.field == "conversation"
    assert "10.0.0" not in str(refused.value)
