import pytest

from gql_server.engine.dicom.devices import MAX_VALUES, Devices
from gql_server.engine.dicom.elements import KIND, OUTSIDE
from tests.engine.dicom.walks import read
from tests.engine.dicom.wire import EXPLICIT, explicit, items, text_elements

FIELDS = {
    "manufacturer": 0x00080070,
    "station_name": 0x00081010,
    "model_name": 0x00081090,
    "serial_number": 0x00181000,
    "software_versions": 0x00181020,
    "transducer_data": 0x00185010,
}
LATIN, UNICODE = (0x00080005, "CS", b"ISO_IR 100"), (0x00080005, "CS", b"ISO_IR 192")


def said(*data_sets: bytes, address: str = "10.0.0.1") -> Devices:
    devices = Devices()
    for data in data_sets:
        devices.read(address, read(data, EXPLICIT))
    return devices


def manufacturers(*data_sets: bytes) -> tuple[str, ...]:
    (device,) = said(*data_sets).listed()
    return device.manufacturer


def manufacturer(value: bytes) -> bytes:
    return explicit(FIELDS["manufacturer"], "LO", value)


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_is_its_element(field: str) -> None:
    (device,) = said(explicit(FIELDS[field], "LO", b"A value ")).listed()
    assert {name: getattr(device, name) for name in FIELDS} == {
        name: ("A value",) if name == field else () for name in FIELDS
    }
    assert (device.address, device.ae_titles) == ("10.0.0.1", ())


def test_values_come_in_the_order_in_which_they_were_said_each_once() -> None:
    assert manufacturers(*map(manufacturer, (b"B ", b"A ", b"B ", b"C\\A "))) == ("B", "A", "C")


def test_what_says_nothing_is_left_out() -> None:
    assert manufacturers(*map(manufacturer, (b"", b"  ", b"\0\0", b"\\", b" A\0"))) == ("A",)
    assert said(manufacturer(b"  ")).listed() == ()


def test_only_so_many_values_are_listed() -> None:
    found = manufacturers(*(manufacturer(b"%04d" % number) for number in range(MAX_VALUES + 5)))
    assert found == tuple(f"{number:04}" for number in range(MAX_VALUES))


def test_one_value_with_too_many_parts_is_cut_too() -> None:
    assert (
        len(manufacturers(manufacturer(b"\\".join(b"%03d" % number for number in range(MAX_VALUES + 6))))) == MAX_VALUES
    )


@pytest.mark.parametrize(("character_set", "value"), [(LATIN, b"M\xfcller"), (UNICODE, "Müller ".encode())])
def test_text_is_read_in_its_character_set(character_set: tuple[int, str, bytes], value: bytes) -> None:
    assert manufacturers(text_elements([character_set]) + manufacturer(value)) == ("Müller",)


def test_text_that_its_character_set_does_not_explain_is_left_out() -> None:
    broken = text_elements([(0x00080005, "CS", b"GB18030 ")]) + manufacturer(b"\xff\xff")
    assert manufacturers(broken, manufacturer(b"OTHER ")) == ("OTHER",)


def test_a_character_set_holds_for_its_data_set_alone() -> None:
    first, second = text_elements([LATIN]) + manufacturer(b"\xfcber"), manufacturer(b"\xfcber")
    assert manufacturers(first, second) == ("über",)


def test_what_stands_in_a_sequence_is_another_device() -> None:
    inner = manufacturer(b"OTHER ")
    data = manufacturer(b"OWN ") + explicit(0x00081115, "SQ", items(inner))
    assert manufacturers(data) == ("OWN",)


def test_a_value_that_is_not_held_says_nothing() -> None:
    data = read(manufacturer(b"LONG") + explicit(FIELDS["model_name"], "LO", b"M1"), EXPLICIT)
    data.elements[0, KIND] = OUTSIDE
    devices = Devices()
    devices.read("10.0.0.1", data)
    assert (devices.listed()[0].manufacturer, devices.listed()[0].model_name) == ((), ("M1",))


def test_addresses_come_in_the_order_in_which_something_was_said_of_them() -> None:
    devices = Devices()
    devices.name("10.0.0.9", "")
    devices.name("10.0.0.2", "SECOND")
    devices.name("10.0.0.1", " FIRST ")
    devices.name("10.0.0.2", "THIRD")
    devices.read("10.0.0.9", read(manufacturer(b"ACME"), EXPLICIT))
    assert [(each.address, each.ae_titles) for each in devices.listed()] == [
        ("10.0.0.2", ("SECOND", "THIRD")),
        ("10.0.0.1", ("FIRST",)),
        ("10.0.0.9", ()),
    ]
