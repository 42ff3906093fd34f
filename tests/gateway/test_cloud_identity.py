"""An identity's token in virtual time: renewed ahead of its end, used until its end, waited for
once."""

import asyncio
import random
from collections.abc import Callable

import pytest
from tests.gateway import virtual
from tests.gateway.cloud_identity_rig import HOUR_S, FakeEntry, Rig, run, virtual_clock

from tidegate.core import clock
from tidegate.core.outcome import Refusal
from tidegate.core.sign_in import NotSignedIn
from tidegate.gateway.cloud_identity import LEAD_S, WAIT_S


@pytest.fixture(autouse=True)
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    virtual_clock(monkeypatch)


def test_it_is_renewed_ahead_of_its_end_for_ever() -> None:
    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        rig.it.begin()  # once
        for _ in range(24 * 6):
            await asyncio.sleep(600)
            assert rig.token() is not None
        assert rig.entry.asked_s[:3] == [0, HOUR_S - LEAD_S, 2 * (HOUR_S - LEAD_S)]
        assert rig.renewed == len(rig.entry.asked_s)
        await rig.it.stop()

    run(main())


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_jitter_only_makes_it_earlier(monkeypatch: pytest.MonkeyPatch, chance: float) -> None:
    monkeypatch.setattr(clock, "fraction", lambda: chance)

    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        await asyncio.sleep(HOUR_S)
        assert 0.9 * (HOUR_S - LEAD_S) <= rig.entry.asked_s[1] <= HOUR_S - LEAD_S
        await rig.it.stop()

    run(main())


def test_a_short_life_is_renewed_in_its_last_quarter() -> None:
    async def main() -> None:
        rig = Rig(FakeEntry(lives_s=60))
        rig.it.begin()
        await asyncio.sleep(100)
        assert rig.entry.asked_s == [0, 45, 90]
        await rig.it.stop()

    run(main())


def test_the_first_requests_wait_for_one_sign_in() -> None:
    async def main() -> None:
        entry = FakeEntry()
        entry.takes_s = 2
        rig = Rig(entry)
        rig.it.begin()
        await asyncio.gather(*(rig.it.ready() for _ in range(100)))
        assert virtual.now_s() == 2 and entry.asked_s == [0]
        assert rig.it.headers() == (("authorization", "Bearer token-1"),)
        await rig.it.ready()
        assert virtual.now_s() == 2
        await rig.it.stop()

    run(main())


def test_a_wait_has_an_end() -> None:
    async def main() -> None:
        entry = FakeEntry()
        entry.takes_s = 100
        rig = Rig(entry)
        rig.it.begin()
        with pytest.raises(Refusal) as no:
            await rig.it.ready()
        assert virtual.now_s() == WAIT_S
        assert no.value.code.name == "credential_missing"
        assert "provider vertex" in no.value.message
        with pytest.raises(Refusal):
            await rig.it.ready(1.0)  # a caller who waits no longer
        assert virtual.now_s() == WAIT_S + 1
        await rig.it.stop()

    run(main())


def test_a_failure_is_told_at_once_and_tried_again_ever_later() -> None:
    async def main() -> None:
        entry = FakeEntry()
        entry.fails = NotSignedIn("the server answered 500")
        rig = Rig(entry)
        rig.it.begin()
        with pytest.raises(Refusal, match="the server answered 500"):
            await rig.it.ready()
        assert virtual.now_s() == 0
        await asyncio.sleep(400)
        assert entry.asked_s == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]
        with pytest.raises(Refusal, match="the server answered 500"):
            rig.it.headers()
        entry.fails = None
        await asyncio.sleep(60)
        await rig.it.ready()
        assert rig.token() is not None and rig.it.problem is None and rig.it.failures == 0
        await rig.it.stop()

    run(main())


def test_after_a_failure_nobody_waits_for_the_next_try() -> None:
    """Or a token server that hangs would hold every request that another target could serve."""

    async def main() -> None:
        entry = FakeEntry()
        entry.fails, entry.takes_s = NotSignedIn("it did not answer"), 10
        rig = Rig(entry)
        rig.it.begin()
        await asyncio.sleep(12)
        assert len(entry.asked_s) == 2
        with pytest.raises(Refusal, match="it did not answer"):
            await rig.it.ready()
        assert virtual.now_s() == 12
        await rig.it.stop()

    run(main())


def test_the_token_before_is_a_secret_still() -> None:
    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        assert rig.it.secrets == ()
        await asyncio.sleep(1)
        assert [one.reveal() for one in rig.it.secrets] == ["token-1"]
        await asyncio.sleep(HOUR_S)
        assert [one.reveal() for one in rig.it.secrets] == ["token-2", "token-1"]
        await rig.it.stop()

    run(main())


def test_the_last_good_token_is_used_until_it_ends() -> None:
    async def main() -> None:
        entry = FakeEntry()
        rig = Rig(entry)
        rig.it.begin()
        await asyncio.sleep(1)
        entry.fails = NotSignedIn("away")
        await asyncio.sleep(HOUR_S - 10)
        assert rig.token() == "token-1" and rig.it.failures > 5
        await asyncio.sleep(10)
        assert rig.token() is None and rig.it.left_s == pytest.approx(-1)
        with pytest.raises(Refusal, match="away"):
            await rig.it.ready()
        entry.fails = None
        await asyncio.sleep(61)
        assert rig.token() is not None
        await rig.it.stop()

    run(main())


def test_a_mistake_of_a_plug_ends_nothing() -> None:
    async def main() -> None:
        entry = FakeEntry()
        entry.fails = KeyError("x")
        rig = Rig(entry)
        rig.it.begin()
        with pytest.raises(Refusal, match="KeyError"):
            await rig.it.ready()
        entry.fails = None
        await asyncio.sleep(2)
        assert rig.token() == "token-2"
        await rig.it.stop()

    run(main())


def test_no_step_of_the_wall_clock_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        await asyncio.sleep(1)
        for wall_s in (0.0, 4e9):
            monkeypatch.setattr(clock, "wall_s", lambda at_s=wall_s: at_s)
            await asyncio.sleep(10)
            assert rig.token() == "token-1" and len(rig.entry.asked_s) == 1
        await rig.it.stop()

    run(main())


def test_a_machine_that_slept_knows_that_its_token_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def at_once(asked: Callable[[], bool]) -> bool:
        return asked()  # a thread would let virtual time pass

    monkeypatch.setattr(asyncio, "to_thread", at_once)

    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        await asyncio.sleep(1)
        await rig.it.look()
        assert len(rig.entry.asked_s) == 1
        monkeypatch.setattr(clock, "since_boot_s", lambda: virtual.now_s() + 2 * HOUR_S)
        assert rig.token() is None and rig.it.left_s == pytest.approx(-HOUR_S - 1)
        await rig.it.look()
        await asyncio.sleep(1)
        assert rig.token() == "token-2" and rig.it.left_s == pytest.approx(HOUR_S - 1)
        await rig.it.look()
        await asyncio.sleep(1)
        assert len(rig.entry.asked_s) == 2
        await rig.it.stop()

    run(main())


def test_two_gateways_do_not_come_in_step_and_none_storms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a token server that is away for an hour: so many sign-ins, spread."""
    chance = random.Random(7)
    monkeypatch.setattr(clock, "fraction", chance.random)

    async def main() -> None:
        rigs = [Rig(FakeEntry()) for _ in range(2)]
        for rig in rigs:
            rig.it.begin()
        await asyncio.sleep(1)
        for rig in rigs:
            rig.entry.fails = NotSignedIn("away")
        await asyncio.sleep(2 * HOUR_S)
        asked = [{round(at, 3) for at in rig.entry.asked_s[1:]} for rig in rigs]
        assert not asked[0] & asked[1]
        for rig, those in zip(rigs, asked, strict=True):
            assert len(those) < 3 * HOUR_S / 60
            rig.entry.fails = None
        await asyncio.sleep(61)
        assert [rig.token() is not None for rig in rigs] == [True, True]
        for rig in rigs:
            await rig.it.stop()

    run(main())


def test_a_token_is_never_printed() -> None:
    async def main() -> None:
        rig = Rig(FakeEntry())
        rig.it.begin()
        await rig.it.ready()
        for thing in (rig.it, rig.it.lease, rig.it.secrets, vars(rig.it)):
            assert "token-1" not in repr(thing) and "token-1" not in str(thing)
        await rig.it.stop()

    run(main())
