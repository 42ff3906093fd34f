from pathlib import Path

from tidegate.core.bin import COUNTS, HISTOGRAMS
from tidegate.core.engine_signals import ENGINE_SIGNALS
from tidegate.core.signal_catalogue import CATALOGUE
from tidegate.core.sli import SLIS


def test_every_signal_is_made_of_what_there_is() -> None:
    for one in CATALOGUE.values():
        parts = HISTOGRAMS if one.kind == "quantile" else COUNTS
        assert {one.part} <= set(parts)
        assert set(one.whole) <= set(COUNTS)
        assert bool(one.whole) == (one.kind == "share")
        assert (0 < one.quantile < 1) == (one.kind == "quantile")


def test_every_indicator_is_a_signal_and_no_name_is_an_engine_s() -> None:
    assert set(CATALOGUE) >= set(SLIS)
    assert not set(CATALOGUE) & set(ENGINE_SIGNALS)


def test_the_page_tells_of_every_signal(repository: Path) -> None:
    page = (repository / "docs" / "signals.md").read_text("utf-8")
    assert [name for name in CATALOGUE if f"`{name}`" not in page] == []
