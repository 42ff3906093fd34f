"""Files and batches by the official client, over real sockets, through a simulated provider."""

from pathlib import Path

import msgspec
from tests.gateway.batched import HALF, LINES, batched, engine, through
from tests.gateway.rig import run

from tidegate.core.receipt_cost import cost_nanousd


def test_the_whole_loop_prices_each_line_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api, metadata={"job": "nightly"})
            assert batch.status == "completed"
            assert batch.metadata == {"job": "nightly"}
            assert batch.request_counts.completed == 5
            assert it.receipts() == []
            text = (await api.files.content(batch.output_file_id)).content
            rows = [msgspec.json.decode(one) for one in text.splitlines()]
            assert {row["custom_id"] for row in rows} == {one["custom_id"] for one in LINES}
            receipts = it.receipts()
            assert len({one.id for one in receipts}) == len(receipts) == 5
            for one in receipts:
                usage = next(
                    row["response"]["body"]["usage"]
                    for row in rows
                    if row["custom_id"] == one.attributes["custom_id"]
                )
                assert one.output_tokens == usage["completion_tokens"] == 7
                assert one.total_input_tokens == usage["prompt_tokens"]
                assert one.cost_nanousd == cost_nanousd(one, HALF)
                assert one.cost_nanousd > 0
                assert (one.route, one.target, one.team) == ("small", "small", "team-a")
                assert (one.purpose, one.priority, one.status) == ("batch_line", "batch", 200)
                assert one.price_version == "plan:test x0.5"
            again = (await api.files.content(batch.output_file_id)).content
            assert again == text
            assert len(it.receipts()) == 5
            assert it.world.batches.lines == {("small", "settled"): 5}
            counters = it.vitals.status().counters
            assert counters["tidegate_batches_created_total|target=small"] == 1
            assert counters["tidegate_batch_lines_total|target=small|outcome=settled"] == 5

    run(main())
