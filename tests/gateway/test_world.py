"""What all requests share, and the one sweep over it."""

from pathlib import Path

import pytest
from tests.gateway.rig import gateway, run, target

from tidegate.core.outcome import Refusal


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
