"""The options of deidentify, and what is chosen by them."""

import argparse
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from gql_server.domain.anonymization import (
    AddressMapping,
    AnonymizationParameters,
    MacMapping,
    NamePolicy,
    PayloadPolicy,
)
from gql_server.domain.dicom import DamagePolicy, DatePolicy, DicomParameters, ForeignPolicy, PixelPolicy
from gql_server.domain.errors import InvalidInput

_DESCRIPTION = """\
De-identify one capture (pcap or pcapng, also as .gz or .zst), without a server or a database: its addresses, its
DICOM, or both. OUT has the format of IN, is never packed, and appears, readable by its owner alone, when all of it is
done."""
_EPILOG = """\
The same key gives the same pseudonyms in every capture. Without --key-file a new key is made, used and forgotten:
nobody can tell the pseudonyms of another run from these, or undo them. Make one: (umask 077; head -c 32 /dev/urandom
> ward.key). With --addresses alone, kept payload is copied as it is, with whatever stands in it."""

_FLAGS: Final = {
    "retain-uids": "retain_uids",
    "retain-device": "retain_device",
    "retain-patient-characteristics": "retain_patient_characteristics",
    "clean-descriptors": "clean_descriptors",
}
_DATES: Final = {"retain-dates": DatePolicy.KEEP, "shift-dates": DatePolicy.SHIFT}
_OF_ADDRESSES: Final = ("rules", "mapping", "macs", "names", "payload")
_OF_DICOM: Final = ("overrides", "profile_options", "keep_pixels", "keep_foreign", "zero_damage")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("source", metavar="IN", help="the capture; - is the standard input")
    parser.add_argument("target", metavar="OUT", help="where the result goes; - is the standard output")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="32 bytes or 64 hexadecimal digits, mode 0600")
    parser.add_argument("--report", metavar="FILE", help="where counts, digests and choices go, as JSON")
    _add_address_options(parser.add_argument_group("addresses"))
    _add_dicom_options(parser.add_argument_group("DICOM (PS3.15, in place)"))


def _add_address_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--addresses", action="store_true", help="replace IP and MAC addresses")
    group.add_argument(
        "--rules",
        type=Path,
        metavar="FILE",
        help="a rule a line: 10.0.0.0/8 172.20.0.0/16, or 10.0.0.0/8 keep|map|zero; # begins a comment",
    )
    _add_choice(group, "--payload", PayloadPolicy.KEEP, "bytes above the transport layer; not with --dicom")
    _add_choice(group, "--mapping", AddressMapping.IPCRYPT_PFX, "how IP addresses without a rule are mapped")
    _add_choice(group, "--macs", MacMapping.PERMUTATION, "how MAC addresses are mapped")
    _add_choice(group, "--names", NamePolicy.KEEP, "names in DNS and DHCP")


def _add_dicom_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dicom", action="store_true", help="de-identify DICOM; what is not DICOM becomes zero")
    group.add_argument(
        "--overrides",
        type=Path,
        metavar="FILE",
        help="an override a line: 00081030 keep, or 00400275.00400007 replace THORAX",
    )
    group.add_argument(
        "--profile-options",
        metavar="LIST",
        help=f"of PS3.15, with commas between: {', '.join((*_FLAGS, *_DATES))}",
    )
    group.add_argument("--keep-pixels", action="store_true", help="keep pixel data, with faces and burned-in text")
    group.add_argument("--keep-foreign", action="store_true", help="keep payload that is not DICOM, as it is")
    group.add_argument("--zero-damage", action="store_true", help="zero DICOM that cannot be read, instead of refusing")


def _add_choice(group: argparse._ArgumentGroup, name: str, default: StrEnum, meaning: str) -> None:
    choices = [_spelled(member) for member in type(default)]
    spelled = f"{meaning}: {', '.join(choices)} ({_spelled(default)})"
    group.add_argument(name, choices=choices, metavar="CHOICE", help=spelled)


def _spelled(member: StrEnum) -> str:
    return member.value.lower().replace("_", "-")


def addresses_of(options: argparse.Namespace) -> AnonymizationParameters | None:
    """Return what was chosen for addresses, None where they stay.

    Raises:
        InvalidInput: neither they nor DICOM were asked for, or an option belongs to what was not asked for.
    """
    if not (options.addresses or options.dicom):
        raise InvalidInput(field="--addresses", reason="ask for it, for --dicom or for both")
    if not options.addresses:
        _refuse(options, _OF_ADDRESSES, "it belongs to --addresses")
        return None
    if options.dicom:
        _refuse(options, ("payload",), "with --dicom it becomes zero where it is not DICOM, or stays by --keep-foreign")
    default = AnonymizationParameters()
    return AnonymizationParameters(
        mapping=AddressMapping(_chosen(options.mapping, default.mapping)),
        mac_mapping=MacMapping(_chosen(options.macs, default.mac_mapping)),
        payload=PayloadPolicy(_chosen(options.payload, default.payload)),
        names=NamePolicy(_chosen(options.names, default.names)),
    )


def dicom_of(options: argparse.Namespace) -> DicomParameters | None:
    """Return what was chosen for DICOM, None where it stays.

    Raises:
        InvalidInput: an option is unknown, contradicts another, or belongs to what was not asked for.
    """
    if not options.dicom:
        _refuse(options, _OF_DICOM, "it belongs to --dicom")
        return None
    words = [] if options.profile_options is None else [word.strip() for word in options.profile_options.split(",")]
    known = {*_FLAGS, *_DATES}
    for word in words:
        if word not in known:
            reason = f"{word[:40]!r} is none of {', '.join(sorted(known))}"
            raise InvalidInput(field="--profile-options", reason=reason)
    dates = [policy for word, policy in _DATES.items() if word in words]
    if len(dates) > 1:
        raise InvalidInput(field="--profile-options", reason="dates are kept or shifted, not both")
    return DicomParameters(
        pixels=PixelPolicy.KEEP if options.keep_pixels else PixelPolicy.ZERO,
        foreign=ForeignPolicy.KEEP if options.keep_foreign else ForeignPolicy.ZERO,
        damage=DamagePolicy.ZERO if options.zero_damage else DamagePolicy.FAIL,
        dates=dates[0] if dates else DatePolicy.REMOVE,
        **{name: word in words for word, name in _FLAGS.items()},
    )


def _refuse(options: argparse.Namespace, names: tuple[str, ...], reason: str) -> None:
    for name in names:
        value: Any = getattr(options, name)
        if value is not None and value is not False:
            raise InvalidInput(field=f"--{name.replace('_', '-')}", reason=reason)


def _chosen(text: str | None, default: StrEnum) -> str:
    return default.value if text is None else text.upper().replace("-", "_")
