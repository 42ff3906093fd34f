"""Of whichever rung a request came to last, its header, its receipt and the metric say the same."""

import asyncio
import itertools

import pytest
from tests.gateway.laddered import ANY, CHAT, MESSAGES, RESPONSES, SORRY, drilled
from tests.gateway.rig import run
from tests.gateway.test_handovers import handing
from tests.gateway.upstream import Upstream, whole
from tests.record.test_metrics import value

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.guardrail import Guardrail, RouteGuardrails
from tidegate.core.ladder import Handover, History, Rung, When
from tidegate.core.plan import Contract
from tidegate.record.metrics import Metrics

WHEN = When(ANY)
KEPT = RouteCache(ExactCache(ttl_s=0.01, deterministic="any", stale_rung_s=600.0))
RESCUED = RouteCache(ExactCache(ttl_s=0.01, deterministic="any", stale_if_error_s=600.0))
WIRES = (CHAT, MESSAGES, RESPONSES)
# (rung, what the own engine does, what the rung's does, the route's cache, whose answer it is)
CASES = {
    "smaller": (Rung("a", when=WHEN, target="mini"), "status:503", "", None, "a"),
    "shorter": (
        Rung("a", when=WHEN, target="mini", max_output_tokens=9),
        "status:503",
        "",
        None,
        "a",
    ),
    "narrower": (
        Rung("a", when=WHEN, target="mini", system_prompt="Be brief."),
        "status:503",
        "",
        None,
        "a",
    ),
    "trimmed": (
        Rung("a", when=WHEN, target="mini", history=History(keep_last=1)),
        "status:503",
        "",
        None,
        "a",
    ),
    "apology": (SORRY, "status:503", "", None, "sorry"),
    "batch": (Rung("a", "batch_only", WHEN), "status:503", "", None, "a"),
    "person": (Rung("a", "handover", WHEN, text="Soon."), "status:503", "", None, "a"),
    "stale": (Rung("a", "stale", WHEN, stale_s=600.0), "status:503 skip=3", "", KEPT, "a"),
    "nobody": (Rung("a", when=WHEN, target="mini"), "status:503", "status:503", None, "a"),
    # The route's own cache answers, once the rung has failed too: that is no rung's answer.
    "rescued": (
        Rung("a", when=WHEN, target="mini"),
        "status:503 skip=3",
        "status:503",
        RESCUED,
        None,
    ),
    "itself": (Rung("a", when=WHEN, target="mini"), "", "", None, None),
}


@pytest.mark.parametrize("case", list(CASES))
def test_header_receipt_and_metric_agree(tmp_path, case):
    rung, own, other, cache, served_by = CASES[case]

    async def main():
        async with Upstream(whole({})) as desk:
            at = rung
            if at.kind == "handover":
                to = Handover(f"http://127.0.0.1:{desk.port}/desk")
                at = Rung("a", "handover", WHEN, handover=to, text="Soon.")
            fields = {"faults": (own,) if own else (), "mini_faults": (other,) if other else ()}
            async with (
                drilled(tmp_path, at, cache=cache, **fields) as it,
                handing(it, tmp_path / "out"),
            ):
                for path in WIRES if cache is not None else ():
                    await it.served(path)
                await asyncio.sleep(0.02)
                for path, stream in itertools.product(WIRES, (False, True)):
                    reply, receipt = await it.served(path, stream=stream)
                    assert receipt.rung == served_by
                    assert reply.headers.get("x-tidegate-rung") == served_by
                    check_metric(receipt)

    run(main())


def check_metric(receipt):
    led = {"rung": receipt.rung, "kind": receipt.rung_kind, "reason": receipt.rung_reason}
    assert len({it is None for it in led.values()}) == 1
    metrics, name = Metrics(), "tidegate_rungs_total"
    metrics.observe([receipt])
    if receipt.rung is None:
        assert value(metrics, name) == 0
    else:
        assert value(metrics, name, route="small", **led) == value(metrics, name) == 1


@pytest.mark.parametrize("held_by", ["contract", "guardrail"])
def test_the_first_token_ends_the_wait_of_a_stream_that_is_held_back(tmp_path, held_by):
    """Its client has nothing yet, but the provider is at work: what it makes is not thrown away."""
    rung = Rung("fast", when=When(slow_first_token_s=0.3), target="mini")
    fields = {}
    if held_by == "contract":
        fields["contract"] = Contract(max_chars=9999, on_violation="fail", buffer=True)
    else:
        words = Guardrail("injection", "injection", "block")
        fields["guardrails"] = RouteGuardrails(output=(words,))

    async def main():
        async with drilled(tmp_path, rung, faults=("stall:0.7 after=3",), **fields) as it:
            reply, receipt = await it.served(stream=True)
            assert reply.status == 200
            assert receipt.total_s > 0.5
            assert (receipt.rung, receipt.error_code) == (None, None)
            assert [one.failure for one in receipt.attempts] == [None]

    run(main())
