"""A token that its provider takes no more is renewed once for all who were refused."""

import asyncio

import pytest
from tests.gateway import virtual
from tests.gateway.cloud_identity_rig import HOUR_S, FakeEntry, Rig, run, virtual_clock

from tidegate.core.sign_in import NotSignedIn
from tidegate.gateway.cloud_identity import LEAD_S, WAIT_S


@pytest.fixture(autouse=True)
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    virtual_clock(monkeypatch)


def test_a_token_that_was_refused_is_renewed_once_a_minute_at_most() -> None:
    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        await asyncio.sleep(100)
        for _ in range(50):
            rig.it.refused(99.0)
        await asyncio.sleep(0)
        await asyncio.sleep(1)
        assert rig.token() == "token-2"
        rig.it.refused(99.0)  # it was sent with the one before
        rig.it.refused(100.5)
        await asyncio.sleep(1)
        assert rig.token() == "token-2"
        await asyncio.sleep(60)
        rig.it.refused(150.0)
        await asyncio.sleep(1)
        assert rig.token() == "token-3"
        await rig.it.stop()

    run(main())


def test_what_was_sent_with_the_token_before_says_nothing_of_this_one() -> None:
    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        await asyncio.sleep(HOUR_S - LEAD_S + 1)
        assert rig.token() == "token-2"
        rig.it.refused(HOUR_S - LEAD_S - 1)
        await asyncio.sleep(1)
        assert rig.token() == "token-2"
        rig.it.refused(HOUR_S - LEAD_S + 0.5)
        await asyncio.sleep(1)
        assert rig.token() == "token-3"
        await rig.it.stop()

    run(main())


@pytest.mark.parametrize("takes_s", [0.0, 2.0])
def test_all_who_were_refused_wait_for_one_new_token(takes_s: float) -> None:
    async def main() -> None:
        entry = FakeEntry()
        rig = Rig(entry)
        rig.it.begin()
        await asyncio.sleep(100)
        entry.takes_s = takes_s
        told = await asyncio.gather(*(rig.it.renewed(99.0) for _ in range(50)))
        assert told == [True] * 50 and virtual.now_s() == 100 + takes_s
        assert rig.token() == "token-2" and len(entry.asked_s) == 2
        assert await rig.it.renewed(99.5)  # late, and sent with the first one
        assert not await rig.it.renewed(virtual.now_s())  # this one is refused as well
        assert len(entry.asked_s) == 2
        await rig.it.stop()

    run(main())


def test_who_was_refused_waits_no_longer_than_it_may_and_not_for_a_failure() -> None:
    async def main() -> None:
        entry = FakeEntry()
        rig = Rig(entry)
        rig.it.begin()
        await asyncio.sleep(100)
        entry.takes_s = 9.0
        assert not await rig.it.renewed(99.0, 1.5)
        assert virtual.now_s() == 101.5
        assert not await rig.it.renewed(99.0)
        assert virtual.now_s() == 101.5 + WAIT_S
        await asyncio.sleep(200)
        entry.takes_s, entry.fails = 0.5, NotSignedIn("away")
        now_s = virtual.now_s()
        assert not await rig.it.renewed(now_s - 1)
        assert virtual.now_s() == now_s + 0.5
        assert rig.token() == "token-2"  # which may serve others still
        await rig.it.stop()

    run(main())


@pytest.mark.parametrize("late_s", [-2.0, 0.0, 3.0])
def test_a_refusal_around_a_sign_in_asks_for_no_second_one(late_s: float) -> None:
    async def main() -> None:
        entry = FakeEntry()
        rig = Rig(entry)
        rig.it.begin()
        await asyncio.sleep(1)
        entry.takes_s = 4.0
        await asyncio.sleep(HOUR_S - LEAD_S - 1 + late_s)
        assert await rig.it.renewed(virtual.now_s() - 10)
        await asyncio.sleep(30)
        assert rig.token() == "token-2" and len(entry.asked_s) == 2
        await rig.it.stop()

    run(main())
