from tidegate.core.bin import BY_UNIT, COUNTS, HISTOGRAMS, Bin
from tidegate.core.sli import LATENCIES, SLIS


def test_every_indicator_has_its_place() -> None:
    assert set(COUNTS) >= {f"{sli}_{verdict}" for sli in SLIS for verdict in ("good", "bad")}
    assert set(HISTOGRAMS) >= set(LATENCIES)
    assert len(set(COUNTS)) == len(COUNTS)


def test_a_new_bin_shares_nothing_with_another() -> None:
    some, others = Bin(), Bin()
    some.counts[0] += 1
    some.units[1] = [0.0] * (2 * len(BY_UNIT))
    assert others.counts == [0] * len(COUNTS)
    assert others.units == {}
