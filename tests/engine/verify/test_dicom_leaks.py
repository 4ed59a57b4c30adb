import pytest

from gql_server.domain.dicom_verification import SecretForm, SecretKind, SecretPlace
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_leaks import place_of
from gql_server.engine.verify.dicom_scanning import Hit


@pytest.mark.parametrize(
    ("pattern", "marks", "place"),
    [
        (b"doeberg", d.PLACE_KEPT, SecretPlace.VALUE_KEPT),
        (b"doeberg", d.PLACE_REWRITTEN, SecretPlace.VALUE_REPLACED),
        (b"doeberg", 0, SecretPlace.STRUCTURAL),
        (b"doeberg^janine", d.PLACE_KEPT, SecretPlace.VALUE_KEPT),
        (b"doeberg^janine", d.PLACE_REWRITTEN, SecretPlace.UNEXPLAINED),
        (b"doeberg^janine", d.PLACE_REWRITTEN | d.PLACE_KEPT, SecretPlace.UNEXPLAINED),
        (b"doeberg^janine", 0, SecretPlace.UNEXPLAINED),
        (b"radiopharmaceutical", d.PLACE_REWRITTEN, SecretPlace.VALUE_REPLACED),
    ],
)
def test_a_place_explains_a_hit_or_not(pattern: bytes, marks: int, place: SecretPlace) -> None:
    hit = Hit(at=0, end=len(pattern), kind=SecretKind.NAME, pattern=pattern, form=SecretForm.BYTES)
    assert place_of(hit, marks) is place
