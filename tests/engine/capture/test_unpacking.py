import pytest

from gql_server.domain.errors import CompressionBomb
from gql_server.engine.capture.unpacking import ALWAYS_ALLOWED_BYTES, UnpackingLimit

LIMIT = UnpackingLimit(unpacked_bytes=1 << 30, ratio=100)


@pytest.mark.parametrize(("unpacked", "size"), [(ALWAYS_ALLOWED_BYTES, 1), (100 << 20, 1 << 20), (1 << 30, 1 << 30)])
def test_as_much_as_allowed_may_come_out(unpacked: int, size: int) -> None:
    LIMIT.check(unpacked, size, 0)


@pytest.mark.parametrize(("unpacked", "size"), [(ALWAYS_ALLOWED_BYTES, 1), (100 << 20, 1 << 20), (1 << 30, 1 << 30)])
def test_one_byte_more_is_a_bomb(unpacked: int, size: int) -> None:
    with pytest.raises(CompressionBomb) as refused:
        LIMIT.check(unpacked + 1, size, 77)
    assert refused.value.facts() == {"offset": 77, "limit_bytes": 1 << 30, "ratio": 100}
