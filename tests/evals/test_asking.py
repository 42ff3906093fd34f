"""One question through a gateway, and what comes of it when things fail."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.evals.asked import SESSION, SOON, asked
from tests.gateway.rig import run
from tests.gateway.upstream import answer_bytes, completion

from tidegate.evals.asking import Gateway, MoneySpent, Patience
from tidegate.evals.receipts import told

BODY = msgspec.json.encode({"model": "small", "messages": [{"role": "user", "content": "hi"}]})


def test_an_answer_is_read_and_its_receipt_is_of_the_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path, lambda _: "good day") as (house, _, way):
            answered = await way.ask(BODY)
            assert (answered.output, answered.finish_reason) == ("good day", "stop")
            assert (answered.input_tokens, answered.output_tokens) == (11, 5)
            assert answered.model_snapshot == "served"
            noted = await house.receipt()
            assert answered.receipt_id == noted.id
            assert (noted.session_id, noted.purpose) == (SESSION, "eval")
            await way.ask(BODY, "judge")
            assert (await house.receipt(2)).session_id == f"{SESSION}.judge"

    run(main())


def test_a_target_that_is_down_for_a_moment_is_asked_again_and_then_it_is_an_error(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        said: list[Any] = [(500, "x"), (503, "x"), "good"]
        async with asked(tmp_path, lambda _: said.pop(0) if said else (500, "x")) as (_, _, way):
            assert (await way.ask(BODY)).output == "good"
            failed = await way.ask(BODY)
            assert failed.output is None
            assert failed.failure is not None and "upstream_error" in failed.failure

    run(main())


def test_what_another_try_cannot_help_is_not_asked_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path, lambda _: "good") as (house, up, way):
            unknown = msgspec.json.encode({"model": "nobody", "messages": []})
            failed = await way.ask(unknown)
            assert failed.failure is not None and failed.failure.startswith("model_not_found")
            assert (len(up.exchanges), len(house.receipts())) == (0, 1)

    run(main())


def test_words_that_a_provider_calls_a_refusal_are_told_from_an_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path, lambda _: "Yes.") as (_, up, way):
            assert not (await way.ask(BODY)).declined

            async def refuse(exchange: Any) -> None:
                message = {"role": "assistant", "content": None, "refusal": "I cannot."}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                body = msgspec.json.encode(completion(text="") | {"choices": [choice]})
                exchange.send(answer_bytes(200, body))

            up.script = refuse
            found = await way.ask(BODY)
            assert (found.output, found.refusal, found.declined) == ("I cannot.", "full", True)

    run(main())


@pytest.mark.parametrize(
    ("code", "is_refusal"), [("content_filter", True), ("unsupported_value", False)]
)
def test_only_a_providers_safety_rules_are_a_refusal(
    tmp_path: Path, code: str, is_refusal: bool
) -> None:
    async def main() -> None:
        async with asked(tmp_path, lambda _: (400, code)) as (house, up, way):
            failed = await way.ask(BODY)
            assert (failed.failure, failed.refusal) == ("rejected_by_provider: no", None)
            assert len(up.exchanges) == 1
            known = told(failed, await house.receipt())
            safety = ("refused_by_safety", "full")
            assert (known.failure, known.refusal) == (
                safety if is_refusal else (failed.failure, None)
            )

    run(main())


def test_a_key_that_may_spend_no_more_ends_the_run(tmp_path: Path) -> None:
    async def main() -> None:
        said = (429, "insufficient_quota")
        async with asked(tmp_path, lambda _: "good") as (_, up, way):
            body = msgspec.json.encode({"error": {"message": "spent", "code": said[1]}})
            way_to_up = Gateway(f"http://127.0.0.1:{up.port}", "k", SESSION, 1, SOON)

            async def refuse(exchange: Any) -> None:
                exchange.send(
                    b"HTTP/1.1 429 No\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
                )

            up.script = refuse
            async with way_to_up:
                with pytest.raises(MoneySpent, match="spent"):
                    await way_to_up.ask(BODY)
            assert len(up.exchanges) == 1
            del way

    run(main())


def test_an_answer_that_does_not_come_is_an_error_in_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path, lambda _: "good") as (_, up, _):

            async def never(exchange: Any) -> None:
                await asyncio.sleep(60)

            up.script = never
            patience = Patience(tries=2, first_pause_s=0.001, answer_s=0.02)
            async with Gateway(f"http://127.0.0.1:{up.port}", "k", "s", 1, patience) as way:
                failed = await way.ask(BODY)
            assert failed.failure == "unreachable: no answer within 0.02 s"
            assert len(up.exchanges) == 2

    run(main())


def test_nobody_there_is_an_error_in_the_end() -> None:
    async def main() -> None:
        patience = Patience(tries=2, first_pause_s=0.001, connect_s=1.0)
        async with Gateway("http://127.0.0.1:1", "k", "s", 1, patience) as way:
            failed = await way.ask(BODY)
            assert failed.failure is not None and failed.failure.startswith("unreachable")

    run(main())
