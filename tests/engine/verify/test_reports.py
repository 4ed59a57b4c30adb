from gql_server.domain.verification import LeakForm, LeakPlace
from gql_server.engine.verify import classes, reports
from gql_server.engine.verify.hits import FORMS
from gql_server.engine.verify.scanning import PLACES
from tests.captures import IP_A, ethernet, ip_bytes, packets, pcap, tcp4, udp4
from tests.engine.verify.proving import PSEUDONYMS, Reason, Status, prove, prove_packet, replaced


def test_every_code_has_a_word() -> None:
    assert sorted(reports._KINDS) == [classes.IPV4, classes.IPV6, classes.MAC]
    assert [reports._FORMS[code] for code in range(FORMS)] == list(LeakForm)
    assert [reports._PLACES[code] for code in range(PLACES)] == list(LeakPlace)


def test_a_kept_address_is_located() -> None:
    known = PSEUDONYMS | {ip_bytes(IP_A): ip_bytes(IP_A)}
    first, second = ethernet(b"", kind=0x88CC), ethernet(tcp4(b""))
    after = packets(replaced(first), replaced(second, known))
    verification = prove(pcap(packets(first, second)), pcap(after), rules=((f"{IP_A}/32", "KEEP"),))
    assert verification.status is Status.PARTIAL
    assert verification.reasons == (Reason.ADDRESSES_KEPT_BY_RULE,)
    (finding,) = verification.scan.findings
    assert (finding.kind, finding.place, finding.hits) == ("IPV4", LeakPlace.KEPT_BY_RULE, 1)
    assert (finding.first_packet, finding.first_offset) == (2, 24 + 16 + 14 + 16 + 26)


def test_the_first_of_kept_addresses_is_told() -> None:
    known = PSEUDONYMS | {ip_bytes(IP_A): ip_bytes(IP_A)}
    frame = ethernet(tcp4(b""))
    verification = prove(pcap(packets(frame, frame)), pcap(packets(*[replaced(frame, known)] * 2)))
    (finding,) = verification.scan.findings
    assert (finding.hits, finding.first_packet, finding.first_offset) == (2, 1, 24 + 16 + 26)


def test_leaked_fields_are_unexplained() -> None:
    packet = ethernet(tcp4(b""))
    known = {key: value for key, value in PSEUDONYMS.items() if len(key) != 4}
    verification = prove_packet(packet, replaced(packet, known))
    assert verification.status is Status.FAILED
    (finding,) = verification.scan.findings
    assert (finding.place, finding.hits) == (LeakPlace.UNEXPLAINED, 2)


def test_the_gravest_reasons_come_first_and_the_worst_decides() -> None:
    packet = ethernet(udp4(b"data")) + b"\x01"
    output = replaced(packet)
    verification = prove_packet(packet, output[:20] + b"\x09" + output[21:])
    harmless = (Reason.PAYLOAD_KEPT, Reason.BYTES_UNKNOWN)
    assert verification.reasons[-2:] == harmless
    grave = verification.reasons[:-2]
    assert Reason.BYTES_CHANGED in grave
    assert grave == tuple(reason for reason in Reason if reason in set(grave) - set(harmless))
    assert verification.status is Status.FAILED


def test_a_report_holds_no_address() -> None:
    packet = ethernet(udp4(ip_bytes(IP_A) + IP_A.encode()))
    said = repr(prove_packet(packet, replaced(packet[:42]) + packet[42:]))
    assert IP_A not in said
    assert ip_bytes(IP_A).hex() not in said
