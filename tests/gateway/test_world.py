"""What all requests share, and the one sweep over it."""

from pathlib import Path

import pytest
from tests.gateway.rig import gateway, run, target

from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.probe import Nobody
from tidegate.gateway.progress import Progress


def test_without_plan_or_room_it_refuses(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            assert it.world.obeyed().plan.version == 1
            it.world.check_journal()
            it.world.plan, it.journal.full = None, True
            with pytest.raises(Refusal) as no_plan:
                it.world.obeyed()
            with pytest.raises(Refusal) as no_room:
                it.world.check_journal()
            assert no_plan.value.code.name == "no_plan"
            assert no_room.value.code.name == "ledger_unavailable"
            it.world.sweep(0.0)

    run(main())


def test_what_the_gateway_asks_of_its_own_is_no_request_that_is_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            nobody = Nobody(it.world.listener)
            for waits in (True, False):
                progresses = []
                for key, purpose in (("k", "production"), ("k", "shadow"), (None, "shadow")):
                    receipt = Receipt("id", 0.0, "g", "chat", key_id=key, purpose=purpose)
                    progresses.append(Progress(receipt, nobody, 0.0, nobody.abort))
                if waits:
                    it.world.waiting = set(progresses)
                else:
                    it.world.waiting = set()
                    it.world.calls = dict(zip("abc", progresses, strict=True))  # type: ignore[assignment]
                assert [one.receipt.key_id for one in it.world.served()] == ["k", "k"]
            it.world.calls = {}

    run(main())
