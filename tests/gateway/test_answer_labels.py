"""What is written on an answer that is kept."""

from pathlib import Path

from tests.gateway.cached import ASK, house
from tests.gateway.rig import run

from tidegate.core.cache_labels import Labels


def test_an_answer_is_labelled_by_the_request_that_had_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            await it.it.ask(body=ASK)
            receipt = await it.it.receipt()
            (memory,) = it.it.world.cache.memory.values()
            (key,) = memory.keys()
            found = await memory.get(key)
            assert found is not None
            kept = found.answer
            assert kept.labels == Labels(
                tier="exact",
                entry=receipt.id,
                route="small",
                release=receipt.release,
                team=receipt.team,
                customer=receipt.customer,
                key=receipt.key_id,
                target=receipt.target,
                model=it.plan.targets[receipt.target or ""].model,
                served=receipt.model_served,
            )
            assert kept.labels.entry == kept.receipt_id

    run(main())
