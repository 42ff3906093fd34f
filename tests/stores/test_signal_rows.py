"""Rows of signals: packed and read back, added up, bounded."""

from tests.stores.signal_rig import one

from tidegate.core.bin import COUNTS, OTHERS, Bin
from tidegate.stats.histogram import value_of
from tidegate.stores import signal_rows
from tidegate.stores.signal_rows import Row, packed, row_of, summed, unpacked


def read_back(row: Row) -> Row:
    counts, details = packed(row)
    return unpacked([*counts, *details])


def test_a_row_is_read_back_as_it_was() -> None:
    full = one({"ttft": {-5: 2, 300: 1}}, failed=1, cost_nanousd=12)
    full.callers = {("blue", "", "k1"): [2, 1, 12]}
    full.codes = {"upstream_unavailable": 1}
    row = row_of(full)
    assert read_back(row) == row
    assert row.detail.by == {
        "team": {"blue": [2, 1, 12]},
        "key": {"k1": [2, 1, 12]},
        "error": {"upstream_unavailable": [1, 1, 0]},
    }


def test_units_speak_by_their_mean() -> None:
    # Two failures of four; a first token after 1 and 2 s; nothing known of tokens and cost.
    row = row_of(Bin(units={7: [4, 2, 2, 3.0, 0, 0, 0, 0], 8: [1, 0, 1, 0.5, 0, 0, 0, 0]}))
    assert row.detail.units == {"failed": [2, 0.5, 0.25], "ttft": [2, 2.0, 2.5]}


def test_a_sum_changes_none_of_its_parts() -> None:
    part = row_of(one({"ttft": {1: 1}}))
    whole = summed([part, part, part])
    assert whole.counts[0] == 3
    assert whole.histograms == {"ttft": {1: 3}}
    assert part.counts[0] == part.histograms["ttft"][1] == 1
    assert summed([part], into=whole) is whole
    assert whole.counts[0] == 4


def test_callers_beyond_the_bound_are_counted_as_others() -> None:
    many = Bin(callers={("", f"c{number:03}", ""): [number, 1, 2] for number in range(100)})
    named = read_back(row_of(many)).detail.by["customer"]
    assert len(named) == signal_rows.MAX_NAMED
    assert "c099" in named
    assert "c000" not in named
    assert sum(sums[0] for sums in named.values()) == sum(range(100))
    assert named[OTHERS][1] == 100 - (signal_rows.MAX_NAMED - 1)


def test_a_figure_that_no_column_takes_is_the_largest_that_one_does() -> None:
    row = read_back(row_of(one(cost_nanousd=2**70)))
    assert row.counts[COUNTS.index("cost_nanousd")] < 2**63


def test_a_quantile_of_what_is_stored_is_that_of_all_of_it() -> None:
    some, others = {3: 9, 50: 1}, {50: 30}
    payloads = [packed(row_of(one({"ttft": it})))[1][0] or b"" for it in (some, others)]
    assert signal_rows.quantile_of(payloads[:1], 0.5) == value_of(3)
    assert signal_rows.quantile_of(payloads, 0.5) == value_of(50)
    assert signal_rows.quantile_of([b"\xc1"], 0.5) is None
