"""Global ids."""

from base64 import urlsafe_b64encode
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.api.ids import NODE_TYPES, GlobalId
from gql_server.domain.errors import InvalidId, NotFound


@given(st.sampled_from(sorted(NODE_TYPES)), st.uuids())
def test_an_id_comes_back_as_it_was(type_name: str, own: UUID) -> None:
    assert GlobalId.decode(GlobalId(type_name, own).encode()) == GlobalId(type_name, own)


@given(st.text() | st.integers() | st.binary().map(lambda content: urlsafe_b64encode(content).decode()))
def test_what_is_no_id_is_refused(text: object) -> None:
    with pytest.raises(InvalidId):
        GlobalId.decode(text)


@pytest.mark.parametrize("text", [f"User:{UUID(int=0).hex}", f"Trace:{UUID(int=0)}", f"trace:{UUID(int=0).hex}"])
def test_an_id_that_was_made_otherwise_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        GlobalId.decode(urlsafe_b64encode(text.encode()).decode().rstrip("="))


def test_an_id_of_another_type_is_as_good_as_absent() -> None:
    id_ = GlobalId("Trace", uuid4())
    assert id_.of("Trace") == id_.id
    assert id_.of_or_none("Job") is None
    with pytest.raises(NotFound, match="There is no such job"):
        id_.of("Job")
