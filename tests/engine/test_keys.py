import pytest

from gql_server.engine.keys import derive, generate_key, unwrap_key, wrap_key


def test_a_wrapped_key_opens_with_the_same_words() -> None:
    kek, key = generate_key(), generate_key()
    assert unwrap_key(kek, wrap_key(kek, key, b"engagement"), b"engagement") == key


def test_wrapping_twice_gives_different_bytes() -> None:
    kek, key = generate_key(), generate_key()
    assert wrap_key(kek, key, b"") != wrap_key(kek, key, b"")


@pytest.mark.parametrize("change", ["kek", "words", "bytes", "short"])
def test_a_wrapped_key_opens_for_nobody_else(change: str) -> None:
    kek, wrapped = bytes(32), wrap_key(bytes(32), bytes(32), b"one")
    if change == "bytes":
        wrapped = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    if change == "short":
        wrapped = wrapped[:7]
    with pytest.raises(ValueError, match=r".*"):
        unwrap_key(b"x" * 32 if change == "kek" else kek, wrapped, b"two" if change == "words" else b"one")


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert derive(bytes(32), "mac/ff1", 16) == derive(bytes(32), "mac/ff1", 16)
    keys = {derive(key, purpose, 16) for key in (bytes(32), b"k" * 32) for purpose in ("ip/pfx", "ip/ff1", "mac/ff1")}
    assert len(keys) == 6
