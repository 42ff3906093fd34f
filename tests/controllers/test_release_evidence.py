from msgspec.structs import replace
from tests.stats.release import arm, block, rollout

from tidegate.controllers import _release_evidence as evidence
from tidegate.core.rollout import HarmMetric, late_guard
from tidegate.core.signal import NoData, Value

GUARDS = (HarmMetric("error", 0.02), HarmMetric("refusal", 0.02), HarmMetric("ttft", 0.02))


def after(bad: int, *, blocks: int = 40):
    """What is found when as many of 50 canary requests in each block fail; 1 of 100 others."""
    release = rollout(HarmMetric("error", 0.02))
    analysis = evidence.begun(release)
    for _ in range(blocks):
        analysis = evidence.taken(analysis, release, block(arm(500, 5), arm(50, bad)))
    return evidence.finding(analysis, release), tuple(evidence.signals(analysis, release))


def test_harm_is_said_with_how_much() -> None:
    found, signals = after(10)
    assert len(found.harmed) == 1
    assert found.harmed[0].startswith("error is worse: +1")
    assert "points" in found.harmed[0]
    assert not found.unsafe
    reading = signals[0].reading
    assert isinstance(reading, Value) and 0.15 < reading.value < 0.25


def test_what_is_shown_to_be_safe_stands_in_nobodys_way() -> None:
    found, _ = after(0)
    assert not (found.harmed or found.unsafe or found.missing or found.failed)
    assert found.units == found.requests == 2000


def test_nothing_seen_is_unknown_and_never_safe() -> None:
    release = rollout(*GUARDS)
    found = evidence.finding(evidence.begun(release), release)
    assert found.failed == ("error", "refusal", "ttft")
    signals = tuple(evidence.signals(evidence.begun(release), release))
    assert {type(one.reading) for one in signals} == {NoData}


def test_a_metric_without_data_means_what_its_file_says() -> None:
    guards = (GUARDS[0], GUARDS[1], HarmMetric("ttft", 0.02, no_data="ignore"))
    release = rollout(*guards)
    both = arm(500, 5)
    both.tallies["refusal"] = both.tallies["error"]
    analysis = evidence.taken(evidence.begun(release), release, block(both, both))
    found = evidence.finding(analysis, release)
    assert (found.missing, found.failed) == ((), ())


def test_a_canary_that_gets_others_than_its_share_has_a_broken_ratio() -> None:
    release = rollout(HarmMetric("error", 0.02))
    analysis = evidence.begun(release)
    for _ in range(20):
        analysis = evidence.taken(analysis, release, block(arm(500, 5), arm(200, 2)))
    assert evidence.finding(analysis, release).ratio_broken


def test_what_need_not_be_safe_is_neither_missing_nor_unsafe() -> None:
    release = rollout(HarmMetric("error", 0.02), late_guard("quality"), late_guard("thumbs_down"))
    analysis = evidence.taken(evidence.begun(release), release, block(arm(500, 5), arm(50, 1)))
    found = evidence.finding(analysis, release)
    assert (found.missing, found.failed, found.unsafe) == ((), (), ("error",))
    assert found.unproven == ("quality", "thumbs_down")


def test_harm_that_is_found_afterwards_is_told_by_what_was_counted() -> None:
    release = rollout(HarmMetric("error", 0.02), late_guard("quality"))
    analysis = evidence.begun(release)
    for _ in range(30):
        late = replace(block(arm(20, 2, "quality"), arm(20, 12, "quality")), late="quality")
        analysis = evidence.taken(analysis, release, late)
    found = evidence.finding(analysis, release)
    assert found.harmed == found.harmed_late
    assert found.harmed[0].endswith("over 600 of its judged answers")
    assert found.requests == 0
