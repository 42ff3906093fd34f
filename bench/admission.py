"""What ten limits in force cost a request, without a gateway: gate, holds, headers, settle."""

import asyncio
import time
from collections.abc import Callable

import msgspec
from msgspec import Raw

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.plan import Limit, Plan, Release, Replica, Route, Target
from tidegate.core.price import Price, Rate
from tidegate.core.pricing import Ceiling
from tidegate.core.receipt import Receipt
from tidegate.gateway.admit import Admission
from tidegate.gateway.allowance import rate_headers
from tidegate.gateway.bound import Binder, Bound
from tidegate.gateway.holding import moment, settle_holds
from tidegate.gateway.own_limits import OwnLimits
from tidegate.gateway.prepared_route import Dearest
from tidegate.stores.memory_counters import memory_counters
from tidegate.text.fingerprint import prompt_fingerprint

ROUNDS = 9
REQUESTS = 20_000
WIDE = 10**12
# As a plan of many limits might have them: all wide, none refuses.
TEN = (
    Limit("per-key", "requests", WIDE, ("key",), per_s=60.0),
    Limit("burst", "requests", WIDE, ("team",), per_s=1.0),
    Limit("on-route", "requests", WIDE, ("route",), per_s=60.0),
    Limit("tokens", "tokens", WIDE, ("key",), per_s=60.0),
    Limit("input", "tokens", WIDE, ("team",), per_s=60.0, count="input"),
    Limit("daily", "tokens", WIDE, ("key",), per_s=86_400.0),
    Limit("at-once", "concurrency", WIDE, ("key",)),
    Limit("longest", "max_output_tokens", 100_000),
    Limit("month", "spend", WIDE, ("team",), unit="month"),
    Limit("day", "spend", WIDE, ("key",), unit="day"),
)
PRICE = Price("bench", "plan", input=Rate(150_000_000), output=Rate(600_000_000))
MESSAGES = b'[{"role":"user","content":"%b"}]'


def ten_limits_us() -> float:
    """CPU a request of all that ten limits in force make it do, the least of some rounds."""
    return asyncio.run(_ten_limits_us()) - _blank_us()


def fingerprint_us_a_kb(kilobytes: int) -> float:
    """CPU of a prompt's fingerprint, a kilobyte."""
    messages = MESSAGES % (b"Say something new about it. " * (kilobytes * 1024 // 28))
    ask = Ask("chat", messages, {"messages": Raw(messages)}, "chat")
    return _least_us(lambda: prompt_fingerprint(ask), 2_000) / kilobytes


def _blank_us() -> float:
    """What the measuring itself makes: an ask and a receipt."""
    return _least_us(lambda: (_ask(), _receipt()), REQUESTS)


def _least_us(work: Callable[[], object], times: int) -> float:
    least_us = float("inf")
    for _ in range(ROUNDS):
        start_s = time.process_time()
        for _ in range(times):
            work()
        least_us = min(least_us, 1e6 * (time.process_time() - start_s) / times)
    return least_us


async def _ten_limits_us() -> float:
    target = Target("t", "p", "openai_compatible", "m", (Replica("r", "http", "r", 80, ""),))
    target = msgspec.structs.replace(target, price=PRICE)
    prepared = Dearest(target, Ceiling(PRICE), (PRICE,))
    bound = _bound(Plan(1, "bench", clock.wall_s(), {"chat": Route("chat", Release("r", target))}))
    key = KeyRecord("k", b"", 1, "bench", team="bench", routes=("*",), created_at_s=1.0)
    least_us = float("inf")
    for _ in range(ROUNDS):
        start_s = time.process_time()
        for _ in range(REQUESTS):
            ask, receipt = _ask(), _receipt()
            admission = Admission(ask, receipt, prepared, 4096)
            await admission.admit(bound.gate(key, receipt), None)
            admission.bind(ask)
            assert admission.gate is not None
            rate_headers(admission.gate, receipt)
            receipt.input_tokens, receipt.output_tokens, receipt.cost_nanousd = 11, 5, 21_000
            settle_holds(admission.held, receipt, True, moment())
        least_us = min(least_us, 1e6 * (time.process_time() - start_s) / REQUESTS)
    return least_us


def _bound(plan: Plan) -> Bound:
    binder = Binder(memory_counters, OwnLimits(memory_counters))
    bound = binder.bind(msgspec.structs.replace(plan, limits=TEN))
    binder.adopt(bound)
    return bound


def _ask() -> Ask:
    messages = Raw(MESSAGES % b"hi")
    return Ask("chat", b'{"messages":%b}' % bytes(messages), {"messages": messages}, "chat")


def _receipt() -> Receipt:
    receipt = Receipt("id", 1.0, "gateway-0", "chat")
    receipt.key_id, receipt.team, receipt.route = "k", "bench", "chat"
    return receipt
