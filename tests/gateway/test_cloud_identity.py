"""An identity's token in virtual time: renewed ahead of its end, used until its end, waited for
once."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.gateway import virtual

from tidegate.core import clock
from tidegate.core.outcome import Refusal
from tidegate.core.secret import Secret
from tidegate.core.sign_in import Lease, NotSignedIn
from tidegate.gateway.cloud_identity import LEAD_S, WAIT_S, CloudIdentity

HOUR_S = 3600.0


class FakeEntry:
    """Signs in after `takes_s`; `fails` is what it says instead of a token."""

    def __init__(self, lives_s: float = HOUR_S) -> None:
        self.lives_s = lives_s
        self.takes_s = 0.0
        self.fails: Exception | None = None
        self.asked_s: list[float] = []

    async def sign_in(self) -> tuple[Lease, float]:
        asked_s = clock.monotonic_s()
        self.asked_s.append(asked_s)
        await asyncio.sleep(self.takes_s)
        if self.fails is not None:
            raise self.fails
        return Lease(self.lives_s, token=Secret(f"token-{len(self.asked_s)}")), asked_s

    def has_changed(self) -> bool:
        return False


class Rig:
    def __init__(self, entry: FakeEntry) -> None:
        self.entry = entry
        self.renewed = 0
        self.it = CloudIdentity("vertex", entry, self._note)  # type: ignore[arg-type]

    def _note(self) -> None:
        self.renewed += 1

    def token(self) -> str | None:
        lease = self.it.lease
        return None if lease is None or lease.token is None else lease.token.reveal()


@pytest.fixture(autouse=True)
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "monotonic_s", virtual.now_s)
    monkeypatch.setattr(clock, "since_boot_s", virtual.now_s)
    monkeypatch.setattr(clock, "fraction", lambda: 0.0)


def run(main: Coroutine[Any, Any, None]) -> None:
    virtual.run(main)


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
