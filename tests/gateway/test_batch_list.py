"""What a provider lists, page by page."""

from pathlib import Path

import pytest
from tests.gateway.batched import batched, begin, engine, put
from tests.gateway.rig import run

from tidegate.core.outcome import Refusal
from tidegate.gateway import batch_list
from tidegate.gateway.batch_list import pages
from tidegate.gateway.batch_place import account


def test_all_pages_are_looked_through_or_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            file = await put(api)
            made = [(await begin(api, file.id)).id for _ in range(5)]
            assert len(made) == 5
            monkeypatch.setattr(batch_list, "_PAGE", 2)
            to = it.world.obeyed().routes["small"].target
            at = account(to, to.replicas[0])
            own = list(reversed(up.sim.batches.batches))
            assert [one["id"] async for one in pages(at, "", "r")] == own
            assert [one["id"] async for one in pages(at, own[1], "r")] == own[2:]
            monkeypatch.setattr(batch_list, "MAX_PAGES", 2)
            assert len([one async for one in pages(at, "", "r", whole=False)]) == 4
            with pytest.raises(Refusal, match="more batches than"):
                assert [one async for one in pages(at, "", "r")]

    run(main())
