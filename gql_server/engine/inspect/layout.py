"""The state and the tables of the survey, by index.

One int64 array holds where the hash indexes lie, what is known of the packet under way, totals, and at its end the
counters of protocols. One uint64 array holds the rows of talkers, conversations and pairs, each in the order of first
sight; a second one holds the hash indexes over them.
"""

from typing import Final

NOTHING: Final = 0

# Random odd multipliers: nobody can choose addresses that meet in one slot.
SEED_LOW: Final = 0
SEED: Final = 1

# An index describes itself by six numbers; `TALKER_INDEX` and the others name the first.
INDEX_AT: Final = 0
INDEX_MASK: Final = 1
INDEX_SHIFT: Final = 2
INDEX_LIMIT: Final = 3
"""Rows it holds at most half full; beyond reach once it holds all rows that there may be."""
INDEX_COUNT: Final = 4
INDEX_MOST: Final = 5
"""Rows there may be."""
INDEX_COLUMNS: Final = 6
TALKER_INDEX: Final = 2
CONVERSATION_INDEX: Final = TALKER_INDEX + INDEX_COLUMNS
PAIR_INDEX: Final = CONVERSATION_INDEX + INDEX_COLUMNS

# Of the packet under way.
LENGTH: Final = 20
"""On the wire."""
TIME: Final = 21
SEEN: Final = 22
"""Protocols met so far, a bit each."""
NEXT: Final = 23
"""What the walk enters next: an ethertype, or a number below."""
NEXT_AT: Final = 24
NEXT_END: Final = 25
VERSION: Final = 26
"""IP version of the outermost header; 0 before it."""
SOURCE_HIGH: Final = 27
SOURCE_LOW: Final = 28
DESTINATION_HIGH: Final = 29
DESTINATION_LOW: Final = 30
PROTOCOL: Final = 31
PORTS: Final = 32
"""Source port above destination port, 16 bits each; NO_PORTS without."""
SOURCE_MAC: Final = 33
DESTINATION_MAC: Final = 34
CLAIM: Final = 35
"""What an address resolution message claims; NO_CLAIM without."""
CLAIM_VERSION: Final = 36
CLAIM_HIGH: Final = 37
CLAIM_LOW: Final = 38
CLAIM_MAC: Final = 39
FRAGMENT: Final = 40
"""Whether the payload begins inside its datagram."""

# Totals.
PACKETS: Final = 41
BYTES: Final = 42
OTHER_PACKETS: Final = 43
"""Packets without an IP header that could be read."""
OTHER_BYTES: Final = 44
LOST_TALKERS: Final = 45
"""Packets of which an address found no room, once for each address."""
LOST_PACKETS: Final = 46
"""Packets whose conversation found no room."""
LOST_BYTES: Final = 47
LOST_PAIRS: Final = 48

# The record under way.
LINK_TYPE: Final = 49
BEGIN: Final = 50
END: Final = 51

# The queue of packets that were walked and are not entered yet. Each is what the walk found, LENGTH to CLAIM_MAC, with
# two numbers behind it; the fields of the packet at `q` are `s[q + LENGTH]` and so on.
QUEUE_AT: Final = 64
QUEUE_MOST: Final = 32
FACTS: Final = CLAIM_MAC + 1 - LENGTH
ENDS: Final = LENGTH + FACTS
"""Its conversation's ends, as in CONVERSATION_ENDS."""
KEY: Final = ENDS + 1
"""Its conversation's key, as in CONVERSATION_KEY; NO_KEY without a conversation."""
QUEUE_COLUMNS: Final = FACTS + 2
NO_KEY: Final = -1

COUNTS_AT: Final = QUEUE_AT + QUEUE_MOST * QUEUE_COLUMNS
"""Two numbers a protocol: packets and bytes."""
COUNT_COLUMNS: Final = 2
IP_PROTOCOLS_AT: Final = 64
"""Counters 0 to 63 are those of `walked` layers; then IP protocols by number, ethertypes, services by port."""
ETHERTYPES_AT: Final = IP_PROTOCOLS_AT + 256
SERVICES_AT: Final = ETHERTYPES_AT + 65536
COUNTERS: Final = SERVICES_AT + 256
STATE_LENGTH: Final = COUNTS_AT + COUNTERS * COUNT_COLUMNS

NO_PORTS: Final = -1
NO_MAC: Final = -1
NO_TIME: Final = -(1 << 63)
NO_CLAIM: Final = 0
CLAIMED: Final = 1
CLAIMED_BY_ROUTER: Final = 2
"""A router advertisement: only routers send one (RFC 4861 section 4.2)."""

# Rows. How many there may be keeps the whole process, its rewriter included, below 256 MiB.
TALKERS_MOST: Final = 1 << 17
TALKER_AT: Final = 0
TALKER_WORDS: Final = 9
TALKER_HIGH: Final = 0
TALKER_LOW: Final = 1
TALKER_META: Final = 2
TALKER_SENT: Final = 3
TALKER_SENT_BYTES: Final = 4
TALKER_RECEIVED: Final = 5
TALKER_RECEIVED_BYTES: Final = 6
TALKER_MAC_SENT: Final = 7
"""Packets sent from the MAC address in its meta word, which is the first that it was seen with."""
TALKER_MAC_RECEIVED: Final = 8
META_MAC: Final = (1 << 48) - 1
META_HAS_MAC: Final = 1 << 48
META_IPV6: Final = 1 << 49

CONVERSATIONS_MOST: Final = 1 << 17
CONVERSATION_AT: Final = TALKER_AT + TALKERS_MOST * TALKER_WORDS
CONVERSATION_WORDS: Final = 8
CONVERSATION_ENDS: Final = 0
"""Talker of the lower end, above that of the upper one; ends are ordered by talker, then port."""
CONVERSATION_KEY: Final = 1
"""Ports of the lower and the upper end, protocol, KEY_HAS_PORTS, KEY_TURNED."""
CONVERSATION_UP: Final = 2
"""Packets from the lower to the upper end."""
CONVERSATION_UP_BYTES: Final = 3
CONVERSATION_DOWN: Final = 4
CONVERSATION_DOWN_BYTES: Final = 5
CONVERSATION_FIRST: Final = 6
CONVERSATION_LAST: Final = 7
KEY_PORTS_SHIFT: Final = 32
KEY_PROTOCOL_SHIFT: Final = 8
KEY_HAS_PORTS: Final = 2
KEY_TURNED: Final = 1
"""The upper end sent the first packet."""

PAIRS_MOST: Final = 1 << 15
PAIR_AT: Final = CONVERSATION_AT + CONVERSATIONS_MOST * CONVERSATION_WORDS
PAIR_WORDS: Final = 5
PAIR_TALKER: Final = 0
PAIR_MAC: Final = 1
"""With META_HAS_MAC; 0 for packets in which the talker had none."""
PAIR_SENT: Final = 2
PAIR_RECEIVED: Final = 3
PAIR_CLAIMS: Final = 4
"""Claims, and PAIR_ROUTER once a router advertisement was among them."""
PAIR_ROUTER: Final = 1 << 62
ROW_WORDS: Final = PAIR_AT + PAIRS_MOST * PAIR_WORDS

# What one packet, or a full queue of them, may bring.
TALKERS_A_PACKET: Final = 3
PAIRS_A_PACKET: Final = 3
TALKERS_A_QUEUE: Final = TALKERS_A_PACKET * QUEUE_MOST
PAIRS_A_QUEUE: Final = PAIRS_A_PACKET * QUEUE_MOST

# What the walk can enter beside ethertypes, which are below 0x10000.
ENTER_ETHERNET: Final = 0x10001
ENTER_LLC: Final = 0x10002
ENTER_PROTOCOL: Final = 0x20000
"""An IP protocol number is added."""

# Layers that the walk goes through, each counted once a packet.
MALFORMED: Final = 0
"""A header that is cut off or makes no sense."""
OTHER_LINK: Final = 1
ETHERNET: Final = 2
LINUX_SLL: Final = 3
LINUX_SLL2: Final = 4
LOOPBACK: Final = 5
RADIOTAP: Final = 6
IEEE_802_11: Final = 7
VLAN: Final = 8
LLC: Final = 9
STP: Final = 10
MPLS: Final = 11
PPPOE: Final = 12
ARP: Final = 13
IPV4: Final = 14
IPV6: Final = 15
UDP: Final = 16
GRE: Final = 17
VXLAN: Final = 18
GENEVE: Final = 19
GTP_U: Final = 20
AUTHENTICATION: Final = 21
