"""The words that the standard has published: names and codes.

Read from pydicom's tables, which are the only public copies of PS3.6 and PS3.16 that come as a package. They are
large; who needs none does not import this.
"""

from collections.abc import Iterator
from typing import Any, cast

from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.sr._concepts_dict import concepts


def names_of_the_standard() -> Iterator[str]:
    """Return the names of attributes and of UIDs (PS3.6)."""
    yield from (entry[2] for entry in DicomDictionary.values())
    yield from (entry[0] for entry in UID_dictionary.values())


def published_codes() -> Iterator[tuple[str, str, str]]:
    """Return scheme, code and meaning of coded concepts (PS3.16)."""
    for scheme, entries in cast("dict[str, Any]", concepts).items():
        for codes in entries.values():
            for code, (meaning, _) in codes.items():
                yield scheme, code, meaning
