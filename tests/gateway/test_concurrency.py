"""The learnt limit, against targets simple enough to know the right one."""

import pytest

from tidegate.gateway.concurrency import START, AdaptiveLimit, Sample

TTFT_S, HELD_S = 0.2, 2.0


class Target:
    """Serves `slots` requests at once and lets the others wait; full at all times."""

    def __init__(self, limit: AdaptiveLimit, slots: float) -> None:
        self.limit, self.slots = limit, slots
        self.slowness = 1.0
        self.now_s = 0.0

    def serve(self, requests: int, in_flight: int | None = None) -> None:
        """So many more first tokens and ends, each with `in_flight` others or the whole limit."""
        for _ in range(requests):
            beside = self.limit.limit if in_flight is None else in_flight
            waiting_s = max(beside - self.slots, 0.0) * HELD_S / self.slots
            took_s = TTFT_S * self.slowness + waiting_s
            self.now_s += HELD_S * self.slowness / min(self.slots, beside)
            in_time = self.limit.first_token(Sample(10, took_s, self.now_s, beside), self.now_s)
            self.limit.ended((HELD_S - TTFT_S) * self.slowness + took_s, in_time)


@pytest.mark.parametrize("slots", [8, 64, 300])
def test_it_finds_how_many_a_target_serves_at_once(slots: int) -> None:
    target = Target(AdaptiveLimit(1, 1000), slots)
    target.serve(20, in_flight=2)
    target.serve(6000)
    assert slots * 0.8 <= target.limit.limit <= slots * 1.3


def test_it_follows_a_target_that_shrinks_and_grows_again() -> None:
    target = Target(AdaptiveLimit(1, 1000), 100)
    target.serve(20, in_flight=2)
    target.serve(4000)
    target.slots = 25
    target.serve(4000)
    assert 15 <= target.limit.limit <= 40
    target.slots = 100
    target.serve(8000)
    assert 80 <= target.limit.limit <= 130


@pytest.mark.parametrize("before", range(16))
def test_streams_that_do_not_end_do_not_keep_it_from_rising(before: int) -> None:
    limit = AdaptiveLimit(1, 1000)
    for at_s in range(before):  # so that the windows begin anywhere
        limit.first_token(Sample(10, TTFT_S, float(at_s), 1), float(at_s))
    in_flight = 0
    while in_flight < limit.limit:
        in_flight += 1
        limit.first_token(Sample(10, TTFT_S, float(in_flight), in_flight), float(in_flight))
    assert in_flight == 1000


def test_without_load_near_it_the_limit_stands() -> None:
    target = Target(AdaptiveLimit(1, 1000), 500)
    target.serve(1000, in_flight=10)
    assert target.limit.limit == START


def test_a_cut_that_does_not_help_is_taken_back() -> None:
    """A provider that is three times as slow by itself is no reason to send it less for ever."""
    target = Target(AdaptiveLimit(1, 64), 1000)
    target.serve(300)
    assert target.limit.limit == 64
    target.slowness = 3.0
    least = 64
    for _ in range(1000):
        target.serve(1)
        least = min(least, target.limit.limit)
    assert 30 <= least < 64, "it was tried"
    assert target.limit.limit >= 60


def test_kinds_of_request_have_a_usual_time_each() -> None:
    limit = AdaptiveLimit(1, 64)
    for number in range(2000):
        kind, took_s = ((5, 0.1), (17, 4.0))[number % 2]
        assert limit.first_token(Sample(kind, took_s, float(number), 64), float(number))
    assert limit.limit == 64


def test_a_kind_first_seen_in_a_jam_is_not_taken_for_usual() -> None:
    target = Target(AdaptiveLimit(40, 40), 10)
    target.serve(20, in_flight=2)
    target.serve(40)
    jam_s = TTFT_S + 30 * HELD_S / 10
    assert not target.limit.first_token(Sample(10, jam_s, target.now_s, 40), target.now_s)
    target.limit.first_token(Sample(99, 5 * jam_s, target.now_s, 40), target.now_s)
    assert not target.limit.first_token(Sample(99, 5 * jam_s, target.now_s, 40), target.now_s)


def test_what_was_sent_before_a_change_says_nothing_about_it() -> None:
    target = Target(AdaptiveLimit(1, 1000), 1000)
    target.serve(20, in_flight=2)
    before = target.limit.limit
    for _ in range(16):
        target.limit.first_token(Sample(10, 9.0, target.now_s, before), target.now_s + 9)
    cut = target.limit.limit
    assert cut < before
    for _ in range(100):
        target.limit.first_token(Sample(10, 9.0, target.now_s, before), target.now_s + 9)
    assert target.limit.limit == cut


def test_a_provider_that_pushes_back_is_believed_once_for_each_change() -> None:
    limit = AdaptiveLimit(1, 100)
    for _ in range(10):
        limit.pushed_back(5.0, 6.0)
    assert limit.limit == START * 3 // 4
    limit.pushed_back(7.0, 8.0)
    assert limit.limit == START * 9 // 16


def test_bounds_hold_and_equal_ones_fix_it() -> None:
    target = Target(AdaptiveLimit(10, 10), 2)
    target.serve(500)
    assert target.limit.limit == 10
    target.limit.bound(3, 5)
    assert target.limit.limit == 5
    target.serve(500)
    assert 3 <= target.limit.limit <= 5


def test_how_many_are_unanswered_follows_from_how_long_each_is() -> None:
    """Little's law: at the limit, limit x first token / whole time."""
    limit = AdaptiveLimit(100, 100)
    assert limit.unanswered == 100
    for number in range(300):
        in_time = limit.first_token(Sample(10, 0.5, float(number), 1), float(number))
        limit.ended(10.0, in_time)
    assert limit.unanswered == 5


def test_it_starts_at_twice_what_is_in_flight() -> None:
    """Nothing is known of the target, but Little's law of the traffic: what is in flight is its
    rate x its time."""
    target = Target(AdaptiveLimit(1, 1000), 500)
    for in_flight in (10, 16, 25, 40, 90):
        target.serve(200, in_flight=in_flight)
        assert in_flight <= target.limit.limit <= 2 * max(in_flight, START)


@pytest.mark.parametrize("slots", [8, 24, 100])
def test_the_first_sign_of_waiting_says_by_little_s_law_how_many_only_wait(slots: int) -> None:
    """One step, where steps of a tenth would need many: W = requests that wait = rate x delay."""
    limit = AdaptiveLimit(1, 1000)
    target = Target(limit, slots)
    for _ in range(500):
        target.serve(1, in_flight=min(limit.limit, slots))
    before = limit.limit
    beside = min(before, 3 * slots // 2)
    for _ in range(100):
        target.serve(1, in_flight=beside)
        if limit.limit < before:
            break
    assert slots * 0.7 <= limit.limit <= slots * 1.2


def test_a_standing_line_is_seen_before_its_window_is_full() -> None:
    target = Target(AdaptiveLimit(1, 64), 1000)
    target.serve(300)
    while target.limit._seen.count:
        target.serve(1)
    before = target.limit.limit
    for number in range(7):
        now_s = target.now_s + number
        target.limit.first_token(Sample(10, 20.0, target.now_s, 60), now_s)
    assert target.limit.limit < before


def test_few_that_are_watched_stand_for_all() -> None:
    """One in 16 that waits half a second, two a second, are 16 that wait."""

    def late(stands_for: int) -> int:
        limit = AdaptiveLimit(1, 64)
        for number in range(400):
            limit.first_token(Sample(10, TTFT_S, float(number), 30), float(number))
        for number in range(80):
            now_s = 400.0 + number / 2
            limit.first_token(Sample(10, 0.7, now_s, 40, stands_for), now_s)
        return limit.limit

    assert late(16) < late(1)


def test_a_few_hundredths_of_a_second_are_no_reason_to_cut() -> None:
    """A burst at a gateway that is busy itself: its first tokens all seem 50 ms late."""
    limit = AdaptiveLimit(1, 512)
    for number in range(200):
        took_s = 0.001 if number < 5 else 0.05
        limit.first_token(Sample(10, took_s, 0.0, min(number + 1, 64)), 0.001 * number)
    assert limit.limit >= START
