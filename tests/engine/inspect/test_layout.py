from gql_server.engine.inspect import layout


def test_places_of_the_state_do_not_meet() -> None:
    places = [layout.SEED_LOW, layout.SEED]
    for index in (layout.TALKER_INDEX, layout.CONVERSATION_INDEX, layout.PAIR_INDEX):
        places += range(index, index + layout.INDEX_COLUMNS)
    places += range(layout.LENGTH, layout.END + 1)
    assert len(set(places)) == len(places)
    assert max(places) < layout.COUNTS_AT


def test_tables_lie_side_by_side() -> None:
    assert layout.TALKER_AT + layout.TALKERS_MOST * layout.TALKER_WORDS == layout.CONVERSATION_AT
    assert layout.PAIR_AT + layout.PAIRS_MOST * layout.PAIR_WORDS == layout.ROW_WORDS
    assert layout.ROW_WORDS * 8 < 24 << 20


def test_the_queue_lies_between_the_packet_under_way_and_the_counters() -> None:
    assert layout.END < layout.QUEUE_AT
    assert layout.QUEUE_AT + layout.QUEUE_MOST * layout.QUEUE_COLUMNS == layout.COUNTS_AT
    assert layout.KEY == layout.LENGTH + layout.QUEUE_COLUMNS - 1
    facts = [
        layout.LENGTH,
        layout.TIME,
        layout.VERSION,
        layout.SOURCE_LOW,
        layout.PORTS,
        layout.CLAIM,
        layout.CLAIM_MAC,
    ]
    assert all(layout.LENGTH <= fact < layout.ENDS for fact in facts)
