"""Kernel that masks the names in the data of DNS records.

Data of a kind that is not named here may hold names, and is zeroed.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.addresses.fields import blank
from gql_server.engine.addresses.layout import OPAQUE
from gql_server.engine.addresses.names import mask_name, mask_strings
from gql_server.engine.compilation import Bytes, State, kernel

_NS: Final = 2
_CNAME: Final = 5
_SOA: Final = 6
_PTR: Final = 12
_HINFO: Final = 13
_MX: Final = 15
_TXT: Final = 16
_RP: Final = 17
_SRV: Final = 33
_NAPTR: Final = 35
_DNAME: Final = 39
_DS: Final = 43
_SSHFP: Final = 44
_RRSIG: Final = 46
_NSEC: Final = 47
_DNSKEY: Final = 48
_NSEC3PARAM: Final = 51
_TLSA: Final = 52

_PREFERENCE: Final = 2
_SERVICE: Final = 6
_ORDER: Final = 4
_SIGNATURE: Final = 18
_NAPTR_STRINGS: Final = 3
_MANY: Final = 1 << 16


@kernel
def mask_record(b: Bytes, s: State, kind: int, at: int, end: int, wet: bool) -> None:  # noqa: C901  # an arm a kind
    """Mask the names in a record's data (RFC 1035 section 3.3, RFC 2782, RFC 3403, RFC 4034)."""
    place = -1
    if kind in (_NS, _CNAME, _PTR, _DNAME):
        place = mask_name(b, s, at, end, wet)
    elif kind == _MX:
        place = mask_name(b, s, at + _PREFERENCE, end, wet)
    elif kind == _SRV:
        place = mask_name(b, s, at + _SERVICE, end, wet)
    elif kind in (_SOA, _RP):
        place = mask_name(b, s, at, end, wet)
        place = mask_name(b, s, place, end, wet) if place >= 0 else -1
    elif kind in (_TXT, _HINFO):
        place = mask_strings(b, s, at, end, _MANY, wet)
    elif kind == _NAPTR:
        place = mask_strings(b, s, at + _ORDER, end, _NAPTR_STRINGS, wet)
        place = mask_name(b, s, place, end, wet) if place >= 0 else -1
    elif kind == _RRSIG:
        place = mask_name(b, s, at + _SIGNATURE, end, wet)
    elif kind == _NSEC:
        place = mask_name(b, s, at, end, wet)
    elif kind in (_DS, _SSHFP, _DNSKEY, _NSEC3PARAM, _TLSA):
        place = end
    if place < 0:
        blank(b, s, at, end, OPAQUE, wet)
