from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom import permuting
from gql_server.engine.dicom.permuting import SMALL_DOMAIN, Permuting
from tests.engine.dicom.data_sets import KEY, OTHER_KEY


def test_a_small_domain_is_permuted() -> None:
    images = [Permuting(KEY, "test").encrypt(number, 1000, b"layout") for number in range(1000)]
    assert sorted(images) == list(range(1000))
    assert images != list(range(1000))


@settings(deadline=None, max_examples=40)
@given(st.data(), st.integers(1, 2000) | st.integers(SMALL_DOMAIN - 2, SMALL_DOMAIN + 2) | st.integers(1, 1 << 300))
def test_decryption_leads_back_below_any_bound(data: st.DataObject, domain: int) -> None:
    permutation = Permuting(KEY, "test")
    number = data.draw(st.integers(0, domain - 1))
    image = permutation.encrypt(number, domain, b"layout")
    assert 0 <= image < domain
    assert permutation.decrypt(image, domain, b"layout") == number


def test_keys_purposes_and_layouts_have_their_own_permutations() -> None:
    def images(key: bytes, purpose: str, layout: bytes, domain: int) -> list[int]:
        return [Permuting(key, purpose).encrypt(number, domain, layout) for number in range(50)]

    for domain in (500, 10**12):
        variants = [
            images(KEY, "a", b"x", domain),
            images(OTHER_KEY, "a", b"x", domain),
            images(KEY, "b", b"x", domain),
            images(KEY, "a", b"y", domain),
            images(KEY, "a", b"x", domain + 1),
        ]
        assert len({tuple(each) for each in variants}) == len(variants)


def test_what_is_allowed_is_permuted_among_itself() -> None:
    permutation = Permuting(KEY, "test")
    for domain in (100, 5_000_000):
        allowed = range(7, 97, 3)
        images = (
            [permutation.encrypt(number, domain, b"", lambda n: n in range(7, 97, 3)) for number in allowed]
            if (domain == 100)
            else [permutation.encrypt(number, domain, b"", lambda n: n % 3 == 1) for number in allowed]
        )
        assert len(set(images)) == len(images)
        assert all((image - 1) % 3 == 0 for image in images)


def test_tables_and_bound_permutations_are_bounded() -> None:
    permutation = Permuting(KEY, "test")
    first = permutation.encrypt(5, 900_000, b"0")
    for layout in range(8):
        permutation.encrypt(5, 900_000, b"%d" % layout)
    assert sum(domain for _, domain in permutation._tables) <= permuting._TABLE_ENTRIES
    assert permutation.encrypt(5, 900_000, b"0") == first
    for layout in range(permuting._BOUND_PERMUTATIONS + 10):
        permutation.encrypt(5, 10**9, b"%d" % layout)
    assert len(permutation._bound) == permuting._BOUND_PERMUTATIONS
