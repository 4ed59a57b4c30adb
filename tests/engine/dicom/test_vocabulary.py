from gql_server.engine.dicom.vocabulary import names_of_the_standard, published_codes


def test_names_are_of_attributes_and_uids() -> None:
    names = set(names_of_the_standard())
    assert {"Patient's Name", "CT Image Storage"} <= names


def test_codes_come_with_their_schemes_and_meanings() -> None:
    codes = set(published_codes())
    assert ("SCT", "69536005", "Head") in codes
    assert len(codes) > 10_000
