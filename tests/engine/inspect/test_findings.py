from gql_server.engine.inspect import layout
from gql_server.engine.inspect.findings import MarkKind
from tests.captures import IP_C, arp, ethernet, packets, pcap, udp4
from tests.engine.inspect.surveying import survey


def test_tables_hold_as_many_rows_as_were_met() -> None:
    frames = [ethernet(udp4()), ethernet(udp4(source=IP_C)), ethernet(arp(), kind=0x0806)]
    found = survey(pcap(packets(*frames))).findings()
    assert found.talkers.shape == (3, layout.TALKER_WORDS)
    assert found.conversations.shape == (2, layout.CONVERSATION_WORDS)
    assert found.pairs.shape == (1, layout.PAIR_WORDS)
    assert found.total(layout.PACKETS) == 3
    assert found.counters[layout.ETHERNET].tolist() == [3, sum(len(frame) for frame in frames)]
    assert found.marks.tolist() == [[MarkKind.PACKETS, 0, 24]]
