"""Each rung of a ladder reached by a fault drill: simulated engines that fail, over real sockets."""

import msgspec
import pytest
from tests.gateway.laddered import ANY, CHAT, MESSAGES, RESPONSES, SORRY, drilled
from tests.gateway.limited import budget
from tests.gateway.rig import run

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.ladder import History, Rung, When
from tidegate.core.plan import Contract
from tidegate.gateway.overlay import put_in_force

SMALL = Rung("small", when=When(("unavailable", "rate_limited")), target="mini")
TOLD = "Sorry, not now."


def test_a_smaller_model_serves_where_the_route_is_down(tmp_path):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY, faults=("status:503",)) as it:
            reply, receipt = await it.served()
            assert reply.status == 200, reply.raw
            assert reply.headers["x-tidegate-rung"] == "small"
            assert reply.headers["x-tidegate-target"] == "mini"
            assert (receipt.rung, receipt.rung_kind, receipt.rung_reason) == (
                *("small", "model", "unavailable"),
            )
            assert [one.failure for one in receipt.attempts] == ["unavailable", None]

    run(main())


def test_nothing_is_told_where_the_route_serves(tmp_path):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY) as it:
            reply, receipt = await it.served()
            assert reply.status == 200
            assert "x-tidegate-rung" not in reply.headers
            assert receipt.rung is None
            assert receipt.rung_reason is None

    run(main())


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_apology_is_an_answer_of_its_callers_own_wire(tmp_path, path, stream):
    async def main():
        async with drilled(tmp_path, SMALL, SORRY, faults=("drop",), mini_faults=("drop",)) as it:
            reply, receipt = await it.served(path, stream=stream)
            assert reply.status == 200, reply.raw
            assert reply.headers["x-tidegate-rung"] == "sorry"
            assert reply.headers["cache-control"] == "no-store"
            assert b"Sorry." in reply.body
            assert (receipt.rung_kind, receipt.cost_nanousd) == ("apology", 0)
            assert receipt.finish_reason == "stop"
            assert receipt.error_code is None
            assert [one.target for one in receipt.attempts] == ["big", "mini"]

    run(main())
