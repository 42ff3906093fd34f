from tidegate.core.bin import COUNTS, HISTOGRAMS
from tidegate.stores.schema_signals import release_blocks, signal_details, signals


def test_every_count_and_histogram_has_its_column() -> None:
    assert set(signals.c.keys()) >= set(COUNTS)
    assert set(signal_details.c.keys()) >= {f"{name}_histogram" for name in HISTOGRAMS}


def test_a_row_is_one_span_of_one_scope_by_one_recorder() -> None:
    for table in (signals, signal_details):
        names = [column.name for column in table.primary_key]
        assert names == ["span_s", "scope", "start_s", "node"]


def test_numbers_of_blocks_are_never_given_twice() -> None:
    assert release_blocks.dialect_options["sqlite"]["autoincrement"] is True
