"""What a provider allows is learnt from its answers, and obeyed until its time has come."""

from pathlib import Path

import pytest
from tests.gateway.rig import gateway, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.outcome import Failure
from tidegate.gateway.provider_rate import MAX_WAIT_S, ProviderRate, seconds


def told(requests: str, reset: str) -> dict[bytes, bytes]:
    return {
        b"x-ratelimit-remaining-requests": requests.encode(),
        b"x-ratelimit-reset-requests": reset.encode(),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("2h1m0.5s", 7260.5), ("3", 3.0), ("1.5", 1.5)],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1x", "s", "1s later", "9" * 40])
def test_what_is_no_duration_says_nothing(text: str) -> None:
    assert seconds(text) is None


def test_a_spent_allowance_is_not_asked_for_until_it_is_back() -> None:
    rate = ProviderRate()
    rate.check(10, 0.0)
    rate.learn(told("1", "20s"), 0.0)
    rate.check(10, 1.0)
    with pytest.raises(Failure) as no:
        rate.check(10, 2.0)
    assert (no.value.kind, no.value.retry_after_s) == ("rate_limited", 18.0)
    rate.check(10, 20.0)


def test_tokens_that_are_left_for_a_shorter_request_are_given_to_it() -> None:
    rate = ProviderRate()
    header = {b"x-ratelimit-remaining-tokens": b"100", b"x-ratelimit-reset-tokens": b"6m0s"}
    rate.learn(header, 0.0)
    with pytest.raises(Failure):
        rate.check(101, 1.0)
    rate.check(60, 1.0)
    with pytest.raises(Failure):
        rate.check(60, 1.0)
    rate.check(101, MAX_WAIT_S)


def told_of(limit: str, remaining: str, reset: str) -> dict[bytes, bytes]:
    return {**told(remaining, reset), b"x-ratelimit-limit-requests": limit.encode()}


def test_what_is_left_flows_back_until_all_of_it_is_there() -> None:
    """600 a minute of which none is left: the next one is there after 0.1 s, not after 60."""
    rate = ProviderRate()
    rate.learn(told_of("600", "0", "60s"), 0.0)
    with pytest.raises(Failure) as no:
        rate.check(10, 0.05)
    assert no.value.retry_after_s == pytest.approx(0.05)
    served = 0
    for tenth in range(1, 300):
        rate.check(10, tenth / 10)
        served += 1
        with pytest.raises(Failure):
            rate.check(10, tenth / 10)
    assert served == 299


def test_who_is_larger_than_all_of_it_is_for_the_provider_to_refuse() -> None:
    rate = ProviderRate()
    header = {
        b"x-ratelimit-remaining-tokens": b"50",
        b"x-ratelimit-reset-tokens": b"30s",
        b"x-ratelimit-limit-tokens": b"100",
    }
    rate.learn(header, 0.0)
    rate.check(101, 1.0)


@pytest.mark.parametrize(("limit", "left"), [("", "0"), ("many", "0"), ("1", "0"), ("1", "3")])
def test_a_limit_that_says_nothing_leaves_the_reset_to_be_waited_for(limit: str, left: str) -> None:
    rate = ProviderRate()
    rate.learn(told_of(limit, left, "20s"), 0.0)
    for _ in range(int(left)):
        rate.check(10, 0.0)
    with pytest.raises(Failure) as no:
        rate.check(10, 1.0)
    assert no.value.retry_after_s == pytest.approx(19.0)


@pytest.mark.parametrize("remaining", ["", "-1", "many", "1e9", "9" * 30])
def test_a_header_that_is_no_number_changes_nothing(remaining: str) -> None:
    rate = ProviderRate()
    rate.learn(told(remaining, "20s"), 0.0)
    rate.check(10, 1.0)
    rate.learn(told("0", "whenever"), 0.0)
    rate.check(10, 1.0)


def test_a_provider_that_said_wait_is_left_alone() -> None:
    rate = ProviderRate()
    rate.refused(1e9, 0.0)
    with pytest.raises(Failure):
        rate.check(1, MAX_WAIT_S - 1)
    rate.check(1, MAX_WAIT_S)


def test_a_429_without_a_time_is_waited_out_twice_as_long_each_time() -> None:
    rate = ProviderRate()
    now_s, waited = 0.0, []
    for _ in range(7):
        rate.refused(None, now_s)
        rate.refused(None, now_s + 0.5)  # sent beside the first, and so no news
        with pytest.raises(Failure) as no:
            rate.check(1, now_s)
        waited.append(no.value.retry_after_s)
        now_s += waited[-1] or 0.0
        rate.check(1, now_s)
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_an_answer_ends_the_doubling(tmp_path: Path) -> None:
    async def main() -> None:
        slow_down = whole({"error": {"message": "slow down"}}, 429)
        async with Upstream(slow_down) as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask()).code == "upstream_rate_limited"
            reply = await it.ask()
            assert reply.code == "upstream_rate_limited"
            assert 0 < int(reply.headers["retry-after-ms"]) <= 1000
            assert len(up.exchanges) == 1
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port)) as it:
            assert it.world.plan is not None
            rate = it.world.plan.routes["small"].target.replicas[0].credential.rate
            rate.backoff_s = 8.0
            assert (await it.ask()).status == 200
            assert rate.backoff_s == 0.0

    run(main())


def test_one_429_spares_the_provider_the_next_request(tmp_path: Path) -> None:
    async def main() -> None:
        slow_down = whole({"error": {"message": "slow down"}}, 429, [("retry-after", "30")])
        async with Upstream(slow_down) as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask()).code == "upstream_rate_limited"
            reply = await it.ask()
            assert reply.code == "upstream_rate_limited"
            assert 25_000 < int(reply.headers["retry-after-ms"]) <= 30_000
            assert len(up.exchanges) == 1
            receipt = await it.receipt(2)
            assert (receipt.attempts, receipt.cost_nanousd) == ([], 0)

    run(main())
