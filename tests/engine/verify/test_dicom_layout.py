"""The layout: nothing overlaps."""

from gql_server.engine.verify import dicom_layout as d

STATE = """
    HAVE AT MODE PDU_LEFT PDV_LEFT FLAGS CONTEXT BASE MISSING ACTIVE COMMAND SYNTAX SET_BASE SET_HAVE SET_AT VALUE_LEFT
    VALUE_RULE VALUE_ROW VALUE_VR VALUE_LENGTH VALUE_KEPT VALUE_NEW UNREAD DEPTH MODALITY CHARSET HAS_PIXELS FREE BROKEN
    KEEP_PIXELS ROWS ARENA TARGETS OVERRIDES SEEN STRUCTURE LEFT BULK_LEFT PIXELS_LEFT ALTERED UNDECODABLE KEPT_BYTES
    PIXELS_KEPT MESSAGES DATA_SETS PDUS ELEMENTS
"""


def test_states_do_not_overlap() -> None:
    slots = [getattr(d, name) for name in STATE.split()]
    assert len(slots) == len(set(slots))
    assert max(slots) < d.CONTEXTS
    assert d.CONTEXTS + 256 <= d.STACK
    assert d.HELD + d.SHOWN < d.BUFFER
    assert d.TAGS > d.TAG_COUNT > d.VR_RULE + 34
