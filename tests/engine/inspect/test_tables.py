import numpy as np
import pytest

from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.inspect import layout
from gql_server.engine.inspect.survey import Survey
from gql_server.engine.inspect.tables import index_rows
from tests.captures import ethernet, packets, pcap, udp4, udp6
from tests.engine.doubles import BytesSource
from tests.engine.inspect.surveying import survey

FRAMES = [ethernet(udp4(source=f"10.0.{n}.1"), source=f"00:00:00:00:01:{n:02x}") for n in range(200)]
FRAMES += [ethernet(udp6(source=f"2001:db8::{n:x}"), kind=0x86DD) for n in range(200)]
FRAMES += [ethernet(udp4(source=f"10.0.{n}.1")) for n in range(200)]


@pytest.mark.parametrize("index", [layout.TALKER_INDEX, layout.CONVERSATION_INDEX, layout.PAIR_INDEX])
def test_an_index_made_anew_finds_every_row_once(index: int) -> None:
    surveyed = survey(pcap(packets(*FRAMES)))
    state, rows = surveyed._state.copy(), surveyed._rows
    slots = 1 << 10
    state[index + layout.INDEX_AT], state[index + layout.INDEX_MASK] = 0, slots - 1
    state[index + layout.INDEX_SHIFT] = 64 - 10
    words = np.zeros(slots, np.uint64)
    index_rows(state, rows, words, index)
    found = sorted(int(word & np.uint64(0xFFFFFFFF)) for word in words if word)
    assert found == list(range(1, int(state[index + layout.INDEX_COUNT]) + 1))
    assert len(found) >= 200


def test_seeds_are_odd_and_differ() -> None:
    seeds = [survey(pcap([]))._state[layout.SEED_LOW : layout.SEED + 1].tolist() for _ in range(3)]
    assert all(seed % 2 == 1 for pair in seeds for seed in pair)
    assert len({tuple(pair) for pair in seeds}) == 3


def test_rows_of_one_hash_half_are_still_told_apart() -> None:
    surveyed = Survey()
    # Multipliers of one: every hash of these has the same upper half.
    surveyed._state[layout.SEED_LOW] = surveyed._state[layout.SEED] = 1
    frames = [ethernet(udp4(source=f"10.0.0.{n}"), source=f"00:00:00:00:01:{n % 9:02x}") for n in range(200)]
    for window in CaptureWindows(BytesSource(pcap(packets(*frames, *frames[5:]))), strip=False):
        surveyed.add(window)
    found = surveyed.findings()
    assert (len(found.talkers), len(found.conversations)) == (201, 200)
