"""What an attempt's end says of the breaker, the credential and the pace of what was asked."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace
from tests.gateway.prepared import ASK, prepared
from tests.gateway.rig import target

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.resilience import Breaker, Deadlines
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.tell import tell, tell_first, tell_well

DOWN = Failure("unavailable", "upstream_unreachable", "down")
LATE = Failure("timeout", "upstream_timeout", "late")
REVOKED = Failure("rejected", "upstream_auth", "revoked")


def asked(failures: int = 2) -> tuple[Progress, PreparedTarget]:
    """A request whose attempt has been sent to the only replica of a target."""
    it = prepared(target(1, "a", breaker=Breaker(failures=failures)), credentials=("k",))
    progress = Progress(Receipt("r", 0.0, "gateway-0", "chat"), cast("Any", None), 0.0, print)
    progress.ask, progress.target, progress.replica = replace(ASK), it, it.replicas[0]
    attempt = Attempt("a", "r0", 0.0)
    progress.call = InFlight(attempt, Deadlines(), False, clock.monotonic_s(), None)
    return progress, it


@pytest.mark.parametrize(
    ("no", "failures"),
    [
        (DOWN, 1),
        (LATE, 1),
        (Failure("rate_limited", "upstream_rate_limited", "slower"), 0),
        (Failure("malformed", "upstream_invalid_answer", "no JSON"), 0),
        (Refusal("overloaded", "full"), 0),
        (None, 0),
    ],
)
def test_only_what_its_provider_did_counts_against_a_breaker(
    no: Failure | Refusal | None, failures: int
) -> None:
    progress, it = asked()
    tell(progress, no)
    assert it.replicas[0].breaker.failures == failures


def test_what_was_not_sent_says_nothing() -> None:
    progress, it = asked()
    progress.call = None
    tell(progress, DOWN)
    progress.replica = None
    tell(progress, DOWN)
    assert it.replicas[0].breaker.failures == 0


def test_a_deadline_of_the_caller_s_is_nobody_s_failure() -> None:
    progress, it = asked()
    progress.until_s = clock.monotonic_s() - 1.0
    tell(progress, LATE)
    assert it.replicas[0].breaker.failures == 0
    tell(progress, DOWN)
    assert it.replicas[0].breaker.failures == 1


@pytest.mark.parametrize(
    ("flowing", "whole_s", "failures"), [(True, -1.0, 1), (False, 9.0, 1), (False, -1.0, 0)]
)
def test_what_stalls_behind_its_first_token_is_its_target_s(
    flowing: bool, whole_s: float, failures: int
) -> None:
    progress, it = asked()
    now_s = clock.monotonic_s()
    progress.receipt.stream = True
    progress.until_s, progress.impatient, progress.whole_until_s = now_s - 2, True, now_s + whole_s
    progress.relay = cast("Any", SimpleNamespace(first_s=now_s - 3, flowing=flowing))
    tell(progress, LATE)
    assert it.replicas[0].breaker.failures == failures


def test_a_refused_credential_rests_until_an_answer_comes() -> None:
    progress, it = asked()
    tell(progress, REVOKED)
    replica = it.replicas[0]
    assert replica.credential.rests_until_s > clock.monotonic_s()
    assert replica.breaker.failures == 0
    assert progress.call is not None
    for late, rests in ((-1.0, True), (1.0, False)):  # sent before it was refused, and after
        progress.call.sent_s = clock.monotonic_s() + late
        tell_well(progress, "weighted")
        assert (replica.credential.rests_until_s > 0) == rests


def test_a_trial_closes_a_breaker_with_its_first_content_or_its_end() -> None:
    for streams in (True, False):
        progress, it = asked(failures=1)
        breaker = it.replicas[0].breaker
        tell(progress, DOWN)
        assert breaker.state == "open"
        progress.tries = breaker.enter(breaker.retry_s)
        assert progress.tries
        heard: list[float] = []
        if streams:
            tell_first(progress, heard.append, 7.0)
            assert heard == [7.0]
        else:
            tell_well(progress, "weighted")
        assert (breaker.state, progress.tries) == ("closed", False)


def test_the_pace_is_told_where_the_fastest_is_asked_first() -> None:
    for balance, counts, known in (
        ("fastest", False, True),
        ("weighted", False, False),
        ("fastest", True, False),
    ):
        progress, it = asked()
        assert progress.call is not None and progress.ask is not None
        progress.call.sent_s, progress.call.ended_s = 1.0, 1.5
        progress.ask.counts = counts
        tell_well(progress, cast("Any", balance))
        assert it.pace.whole_s == (0.5 if known else None)
