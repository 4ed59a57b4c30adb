import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.dicom_errors import UidCollision
from gql_server.engine.dicom.permuting import Permuting
from gql_server.engine.dicom.uids import STANDARD_ROOT, Uids
from tests.engine.dicom.data_sets import KEY, OTHER_KEY

UIDS = Uids(KEY)
COMPONENT = st.integers(0, 10**12).map(lambda number: b"%d" % number) | st.from_regex(rb"[0-9]{1,12}", fullmatch=True)
ANY = st.lists(COMPONENT, min_size=1, max_size=6).map(lambda arcs: b".".join([b"1.2", *arcs])[:64].rstrip(b"."))


@settings(deadline=None, max_examples=25)
@given(ANY)
def test_a_pseudonym_has_the_layout_of_its_uid(uid: bytes) -> None:
    pseudonym = UIDS.pseudonym(uid)
    assert pseudonym is not None
    arcs, images = uid.split(b"."), pseudonym.split(b".")
    assert images[:2] == arcs[:2]
    assert [len(each) for each in images] == [len(each) for each in arcs]
    for arc, image in zip(arcs, images, strict=True):
        if len(arc) > 1 and not arc.startswith(b"0"):
            assert not image.startswith(b"0")
    assert Uids(KEY).pseudonym(uid) == pseudonym


@settings(deadline=None, max_examples=25)
@given(st.sets(ANY, min_size=2, max_size=30))
def test_no_two_uids_share_a_pseudonym(uids: set[bytes]) -> None:
    assert len({UIDS.pseudonym(uid) for uid in uids}) == len(uids)


def test_every_uid_of_a_small_layout_has_its_own() -> None:
    images = {UIDS.pseudonym(b"1.2.%d.%d" % (one, two)) for one in range(10) for two in range(10, 100)}
    assert len(images) == 900


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 10**9))
def test_uids_of_the_standard_stay_and_nobody_joins_them(number: int) -> None:
    uid = STANDARD_ROOT + b"%d" % number
    assert UIDS.pseudonym(uid) == uid
    neighbour = b"1.2.841.10008.%d" % number
    image = UIDS.pseudonym(neighbour)
    assert image is not None
    assert not image.startswith(STANDARD_ROOT)


@pytest.mark.parametrize("last", range(10))
def test_what_would_land_in_the_standard_lands_elsewhere(last: int) -> None:
    sizes, firsts = (900, 90_000, 10), (100, 10_000, 0)
    standard = ((840 - 100) * 90_000 + 10_008 - 10_000) * 10 + last
    layout = b"/".join(b"%d,%d" % pair for pair in zip(firsts, sizes, strict=True))
    number = Permuting(KEY, "uids").decrypt(standard, 900 * 90_000 * 10, layout)
    number, third = divmod(number, 10)
    first, second = divmod(number, 90_000)
    uid = b"1.2.%d.%d.%d" % (first + 100, second + 10_000, third)
    image = UIDS.pseudonym(uid)
    assert image is not None
    assert image.startswith(STANDARD_ROOT) == uid.startswith(STANDARD_ROOT)


@settings(deadline=None, max_examples=25)
@given(st.integers(10**38, 2**128 - 1) | st.integers(0, 2**128 - 1))
def test_a_uuid_stays_a_uuid(number: int) -> None:
    image = UIDS.pseudonym(b"2.25.%d" % number)
    assert image is not None
    assert int(image[5:]) < 2**128


def test_what_is_too_large_for_a_uuid_stays_so() -> None:
    uid = b"2.25." + b"9" * 39
    image = UIDS.pseudonym(uid)
    assert image is not None
    assert int(image[5:]) >= 2**128
    assert image != uid


def test_another_key_gives_other_pseudonyms() -> None:
    uid = b"1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"
    assert Uids(OTHER_KEY).pseudonym(uid) != UIDS.pseudonym(uid)


def test_each_of_several_is_mapped_and_padding_stays() -> None:
    one, other = b"1.2.3.4711", b"1.2.3.4712"
    assert UIDS.pseudonym(one + b"\\" + other) == b"\\".join([UIDS.pseudonym(one) or b"", UIDS.pseudonym(other) or b""])
    assert UIDS.pseudonym(b"1.2.3.471\0") == (UIDS.pseudonym(b"1.2.3.471") or b"") + b"\0"
    assert UIDS.pseudonym(b"1.2.3.471 ") == (UIDS.pseudonym(b"1.2.3.471") or b"") + b" "


@pytest.mark.parametrize("value", [b"DOE^JOHN", b"1.2.", b"1..2", b".1.2", b"1.2.a", b"1." + b"2" * 63, b"1.2.3 4"])
def test_what_is_no_uid_has_no_pseudonym(value: bytes) -> None:
    assert UIDS.pseudonym(value) is None
    assert UIDS.pseudonym(b"1.2.3\\" + value) is None


def test_a_pseudonym_that_does_not_lead_back_is_a_collision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Permuting, "encrypt", lambda *_: 7)
    uids = Uids(KEY)
    with pytest.raises(UidCollision):
        uids.pseudonym(b"1.2.3.4.5")
