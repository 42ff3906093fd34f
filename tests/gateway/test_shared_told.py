"""The headers of an answer tell how shared limits stood when its request took of them."""

from tests.gateway.shared import in_force, store_of

from tidegate.core.limit import Reading
from tidegate.core.plan import Limit
from tidegate.gateway.gate import Gate
from tidegate.gateway.shared_hold import SharedHold
from tidegate.gateway.shared_told import shared_rate_headers
from tidegate.stores.redis_wants import Granted, Taken

MINUTE_S, DAY_S = 60.0, 86_400.0


def headers(*stands: tuple[Limit, int | None], of_caller: bool = True) -> list[str]:
    store = store_of()
    of = [(in_force(limit, store), "") for limit, _ in stands]
    tickets = [
        None if used is None else Granted(1, False, Reading(used, limit.amount, 1.5))
        for limit, used in stands
    ]
    taken = Taken("r", [], tickets, 0.0)
    gate = Gate(tuple(it for it, _ in of) if of_caller else ())
    return shared_rate_headers([SharedHold(store, taken, of)], gate).decode().splitlines()


def requests(amount: int, per_s: float = MINUTE_S, on_excess: str = "refuse") -> Limit:
    return Limit("r", "requests", amount, per_s=per_s, on_excess=on_excess)  # type: ignore[arg-type]


def test_the_tightest_of_requests_and_of_tokens_is_told() -> None:
    tokens = Limit("t", "tokens", 200, per_s=MINUTE_S)
    assert headers((requests(100), 10), (tokens, 250), (requests(10), 4)) == [
        "x-ratelimit-limit-requests: 10",
        "x-ratelimit-remaining-requests: 6",
        "x-ratelimit-reset-requests: 1.5s",
        "x-ratelimit-limit-tokens: 200",
        "x-ratelimit-remaining-tokens: 0",
        "x-ratelimit-reset-tokens: 1.5s",
    ]


def test_a_day_is_told_only_where_nothing_flows_back_evenly() -> None:
    day = requests(50, DAY_S)
    assert "x-ratelimit-limit-requests: 10" in headers((day, 49), (requests(10), 1))
    assert "x-ratelimit-limit-requests: 50" in headers((day, 49))


def test_what_was_let_pass_only_alerts_or_is_no_rate_of_the_caller_s_is_not_told() -> None:
    assert headers((requests(10), None)) == []
    assert headers((requests(10, on_excess="alert"), 3)) == []
    assert headers((Limit("m", "spend", 9, unit="month"), 3)) == []
    assert headers((requests(10), 3), of_caller=False) == []
