"""The table's rule: the first source that is there wins, whole pairs only."""

from tidegate.core.engine_signals import Found, Scrape
from tidegate.core.signal import NoData
from tidegate.engines._reader import Source, TableReader, counter, share

READER = TableReader(
    "e:",
    {
        "engine_running": (Source("e:now"), Source("e:before")),
        "engine_waiting": (Source("e:by", label=("reason", "room")), Source("e:all")),
        "engine_prefix_hits": (*share("e:hits", "e:asked"), Source("e:old", ("e:left", "e:right"))),
        "engine_output_tokens": counter("e:out"),
    },
    twins=("tp",),
)


def read(*lines: str) -> Scrape:
    return READER.read("".join(f"{line}\n" for line in lines).encode())


def test_the_first_that_is_there_wins() -> None:
    signals = read("e:before 4", "e:now 0", "e:out 2", "e:out_total 3").signals
    assert signals["engine_running"] == Found("e:now", {"": 0.0})
    assert signals["engine_output_tokens"] == Found("e:out_total", {"": 3.0})
    assert read("e:before 4").signals["engine_running"] == Found("e:before", {"": 4.0})


def test_half_a_pair_is_none() -> None:
    assert read("e:hits_total 1").signals["engine_prefix_hits"] == NoData("missing")
    assert read("e:asked_total 1").signals["engine_prefix_hits"] == NoData("missing")
    found = read("e:hits_total 1", "e:hits 2", "e:asked 5").signals["engine_prefix_hits"]
    assert found == Found("e:hits", {"": 2.0}, {"e:asked ": 5.0})


def test_what_a_share_is_out_of_may_be_several_metrics() -> None:
    found = read("e:old 1", "e:left 2", "e:right 3").signals["engine_prefix_hits"]
    assert found == Found("e:old", {"": 1.0}, {"e:left ": 2.0, "e:right ": 3.0})
    assert read("e:old 1", "e:left 2").signals["engine_prefix_hits"] == NoData("missing")


def test_a_label_that_nothing_has_leaves_the_next_source() -> None:
    found = read('e:by{reason="other"} 3', "e:all 5").signals["engine_waiting"]
    assert found == Found("e:all", {"": 5.0})
    found = read('e:by{reason="room"} 0', "e:all 5").signals["engine_waiting"]
    assert found == Found("e:by{reason=room}", {"reason=room": 0.0})


def test_of_twins_the_greatest_counts() -> None:
    found = read('e:now{dp="0",tp="0"} 1', 'e:now{dp="0",tp="1"} 2', 'e:now{dp="1",tp="0"} 4')
    assert found.signals["engine_running"] == Found("e:now", {"dp=0": 2.0, "dp=1": 4.0})
