"""The table of what engines say."""

from tidegate.core.engine_signals import ENGINE_SIGNALS, SCRAPE_S, STALE_S


def test_each_is_called_by_its_name_with_a_unit_and_a_meaning() -> None:
    for name, one in ENGINE_SIGNALS.items():
        assert name == one.name
        assert name.startswith("engine_")
        assert one.unit
        assert one.text.endswith(".")


def test_what_does_not_add_up_is_pooled_or_the_greatest() -> None:
    for one in ENGINE_SIGNALS.values():
        assert (one.together == "pooled") == (one.kind in ("share", "mean"))
        if one.most is not None:
            assert one.together != "sum", "a sum may be more than the most of one"


def test_one_reading_that_is_missed_is_not_yet_stale() -> None:
    assert STALE_S >= 2 * SCRAPE_S
