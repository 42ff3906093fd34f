"""What probes give way to: their target's callers, want of a key, of a journal, of resources."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway import virtual
from tests.gateway.probing import GOOD, REFUSED, Asked, House, planned, playing, small

from tidegate.core import clock
from tidegate.core.identity import GoogleIdentity, Identity
from tidegate.core.plan import Queueing
from tidegate.core.probe import Probe
from tidegate.core.secret import Secret, SecretRef
from tidegate.core.sign_in import Lease
from tidegate.gateway import identities
from tidegate.gateway.overlay import put_in_force


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return playing(tmp_path, monkeypatch)


def test_a_credential_that_is_refused_rests_and_is_not_probed(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(61.0)
        assert len(house.provider.asked_s) == 1
        assert house.probed().skipped["resting"] == 2
        assert house.state() == "closed", "the target is there"

    run(scenario, planned(small(), probe=Probe(every_s=20.0)), Asked(REFUSED))


def test_what_is_under_way_is_not_begun_again(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(31.0)
        [part] = house.probed().parts.values()
        part.due_s = virtual.now_s()
        await asyncio.sleep(0.3)
        assert len(house.provider.asked_s) == 1
        assert house.probed().skipped["in_flight"] == 1

    run(scenario, provider=Asked(None))


def test_a_full_target_is_its_callers(run: Any) -> None:
    only = small(queueing=Queueing(max_in_flight=1))

    async def scenario(house: House) -> None:
        house.provider.answer = None
        asking = asyncio.create_task(house.ask())
        await asyncio.sleep(31.0)
        assert len(house.provider.asked_s) == 1, "the caller's"
        assert house.probed().skipped["busy"] == 1
        asking.cancel()

    run(scenario, planned(only))


def test_a_probe_takes_nobody_s_place(run: Any) -> None:
    only = small(queueing=Queueing(max_in_flight=1, max_waiting=0))

    async def scenario(house: House) -> None:
        await asyncio.sleep(31.0)
        assert len(house.provider.asked_s) == 1
        house.provider.answer = GOOD
        assert b"200 OK" in await house.ask(), "while the probe still waits"

    run(scenario, planned(only), Asked(None))


def test_the_last_connection_is_not_a_probe_s(run: Any) -> None:
    async def scenario(house: House) -> None:
        house.provider.answer = None
        asking = asyncio.create_task(house.ask())
        await asyncio.sleep(31.0)
        assert house.probed().skipped["busy"] == 1
        asking.cancel()

    run(scenario, planned(small(max_connections=2)))


def test_a_credential_that_is_not_set_is_not_probed(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(100.0)
        assert house.provider.asked_s == []
        assert house.probed().availability(virtual.now_s()) is None

    run(scenario, planned(small(credential=SecretRef(env="NOT_SET"))))
    assert "is not probed: ${NOT_SET} is not set here" in caplog.text


def test_that_it_is_not_set_is_said_once_until_it_is_another(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(house: House) -> None:
        base = house.it.world.plan
        [name] = base.probes
        for held in ({"route_off": {"*": 1.0}}, {}, {"target_off": {name: 1.0}}, {}):
            put_in_force(house.it.world, base, held)
            await asyncio.sleep(1.0)
        assert caplog.text.count("is not probed") == 1
        await house.obey(small(credential=SecretRef(env="NOR_THIS")))
        await asyncio.sleep(1.0)
        assert caplog.text.count("is not probed") == 2
        assert "${NOR_THIS} is not set here" in caplog.text

    run(scenario, planned(small(credential=SecretRef(env="NOT_SET"))))


class Slow:
    """Signs in as a cloud's identity, after a minute and two thirds."""

    def __init__(self, *_: object) -> None:
        pass

    async def sign_in(self) -> tuple[Lease, float]:
        asked_s = virtual.now_s()
        await asyncio.sleep(100.0)
        return Lease(240.0, token=Secret("t0ken")), asked_s

    def has_changed(self) -> bool:
        return False


def test_probes_wait_for_the_first_token_of_an_identity_and_go_when_it_is_there(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "since_boot_s", virtual.now_s)
    monkeypatch.setattr(identities, "Entry", Slow)

    async def scenario(house: House) -> None:
        await asyncio.sleep(99.0)
        assert house.provider.asked_s == [] and house.receipts() == []
        assert house.probed().skipped == {"credential": 2}  # at 30 s and at 90 s
        gauges = house.it.vitals.status().gauges
        assert gauges["tidegate_identity_ready|provider=up"] == 0
        await asyncio.sleep(5.0)
        assert house.provider.asked_s == pytest.approx([100.0], abs=0.3)
        assert b"authorization: Bearer t0ken\r\n" in house.provider.bodies[0]
        assert house.it.vitals.status().gauges["tidegate_identity_ready|provider=up"] == 1
        [receipt] = house.receipts()
        assert receipt.error_code is None
        await house.it.preparer.identities.stop()

    run(scenario, planned(small(identity=Identity(google=GoogleIdentity()))))


def test_nothing_is_sent_whose_receipt_could_not_be_written(run: Any) -> None:
    async def scenario(house: House) -> None:
        house.it.journal.full = True
        await asyncio.sleep(31.0)
        assert house.provider.asked_s == []
        assert house.probed().skipped["journal"] == 1
        house.it.journal.full = False

    run(scenario)


def test_nothing_is_sent_while_callers_are_refused_for_want_of_resources(run: Any) -> None:
    async def scenario(house: House) -> None:
        house.it.world.pressure.memory(0.9)
        await asyncio.sleep(31.0)
        assert house.probed().skipped["pressure"] == 1

    run(scenario)
