"""A file of requests is judged line by line, and what is wrong names its line."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.batched import CHAT, HALF, LINES, jsonl, line
from tests.gateway.rig import gateway, make_key, plan_of, target

from tidegate.core.batches import Batches
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit, Release, Route
from tidegate.gateway import batch_input
from tidegate.gateway.batch_input import Lines, urls
from tidegate.gateway.prepared_route import PreparedRoute

ROUTED = target(1, "routed", batches=Batches(HALF))
ROUTES = {
    "routed": Route(
        "routed",
        Release("routed-1", ROUTED),
        parameters=(("temperature", "0.5"),),
        system_prompt="Be brief.",
    )
}


SHORT = target(1, "short", batches=Batches(HALF), context_tokens=60)


def take(tmp_path: Path, *lines: Any, limits: tuple[Limit, ...] = (), **key: Any) -> Any:
    """(the lines as the provider gets them, what was read of them)."""
    out: list[bytes] = []
    read: list[Lines] = []

    async def main() -> None:
        own = target(1, batches=Batches(HALF, 4))
        async with gateway(tmp_path, own) as it:
            plain = target(1, "plain", model="plain-model")
            plan = plan_of(own, plain, SHORT, NEW, version=2, routes=ROUTES, limits=limits)
            assert await it.obey(plan)
            found = urls(it.world.dialects)
            got = Lines(make_key(**key)[1], it.world.obeyed(), "gateway-0", found)
            read.append(got)
            for one in lines:
                out.append(got.take(one if isinstance(one, bytes) else msgspec.json.encode(one)))

    asyncio.run(main())
    return [msgspec.json.decode(one) for one in out], read[0]


def no(tmp_path: Path, *lines: Any, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        take(tmp_path, *lines, **fields)
    return refused.value


def test_a_line_names_the_targets_model_and_all_else_stays(tmp_path: Path) -> None:
    sent, read = take(tmp_path, line(0, seed=3, odd={"a": [1]}))
    assert sent == [
        {
            "custom_id": "line-0",
            "method": "POST",
            "url": CHAT,
            "body": {**LINES[0]["body"], "model": "served-model", "seed": 3, "odd": {"a": [1]}},
        }
    ]
    assert (read.count, read.endpoint, read.target.target.name) == (1, "chat", "small")


def test_what_the_route_adds_is_in_it(tmp_path: Path) -> None:
    sent, _ = take(tmp_path, line(0, model="routed"))
    body = sent[0]["body"]
    assert body["temperature"] == 0.5
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


def test_the_bound_is_of_all_lines_at_the_batch_price(tmp_path: Path) -> None:
    sent, read = take(tmp_path, *LINES[:3])
    asked = [len(msgspec.json.encode(one["body"])) for one in LINES[:3]]
    assert read.most_nanousd == sum(size * 500 + 20 * 1_000 for size in asked)
    assert all("max_tokens" in one["body"] for one in sent)


def test_where_money_is_held_the_bound_is_written_into_the_line(tmp_path: Path) -> None:
    body = {k: v for k, v in LINES[0]["body"].items() if k != "max_tokens"}
    bare = {**LINES[0], "body": body}
    assert "max_tokens" not in take(tmp_path, bare)[0][0]["body"]
    hard = Limit("m", "spend", 10**12, ("team",), unit="month")
    sent, read = take(tmp_path, bare, limits=(hard,))
    assert sent[0]["body"]["max_tokens"] == 4096
    assert read.most_nanousd >= 4096 * 1_000


@pytest.mark.parametrize(
    ("second", "code", "why"),
    [
        (b"{", "invalid_json", "line 2: it is not JSON"),
        (b"\xff", "invalid_json", "line 2: it is not UTF-8"),
        (b"[]", "invalid_json", "must be a JSON object"),
        (b'{"a":' + b"[" * 99 + b"]" * 99 + b"}", "invalid_json", "nested deeper"),
        (b'{"custom_id":"a","custom_id":"b"}', "invalid_json", "twice"),
        (b'{"custom_id":"a"}', "invalid_parameter", "must be"),
        ({**LINES[1], "more": 1}, "invalid_parameter", "must be"),
        ({**LINES[1], "custom_id": 3}, "invalid_parameter", "must be"),
        ({**LINES[1], "custom_id": ""}, "invalid_parameter", "1 to 256"),
        ({**LINES[1], "custom_id": "x" * 257}, "invalid_parameter", "1 to 256"),
        ({**LINES[1], "custom_id": "a\nb"}, "invalid_parameter", "printable"),
        (LINES[0], "invalid_parameter", "that of line 1 already"),
        ({**LINES[1], "method": "GET"}, "invalid_parameter", "must be POST"),
        ({**LINES[1], "url": "/v1/rerank"}, "invalid_parameter", "`url` must be"),
        ({**LINES[1], "url": "/v1/embeddings"}, "missing_parameter", "`input` is missing"),
        ({**LINES[1], "body": [1]}, "invalid_json", "must be a JSON object"),
        (line(1, model="routed"), "invalid_parameter", "another than line 1's, 'small'"),
        (line(1, model=3), "invalid_parameter", "`model` must be"),
        (line(1, stream=True), "unsupported_parameter", "answered whole"),
        (line(1, max_tokens=-1), "invalid_parameter", "`max_tokens` must be"),
        (line(1, web_search_options={}), "invalid_parameter", "does not cover"),
    ],
    ids=range(21),
)
def test_a_bad_line_is_named(tmp_path: Path, second: Any, code: str, why: str) -> None:
    said = no(tmp_path, LINES[0], second)
    assert said.code.name == code
    assert said.message.startswith("line 2: ")
    assert why in said.message


def test_the_other_api_is_another_file(tmp_path: Path) -> None:
    other = {"custom_id": "e", "method": "POST", "url": "/v1/embeddings"}
    said = no(tmp_path, LINES[0], {**other, "body": {"model": "small", "input": "a"}})
    assert "another than line 1's, which asks chat" in said.message


def test_the_first_line_needs_a_route_that_has_batches(tmp_path: Path) -> None:
    for model, code in (("none", "model_not_found"), ("plain", "invalid_request")):
        assert no(tmp_path, line(0, model=model)).code.name == code
    said = no(tmp_path, LINES[0], routes=("other",))
    assert (said.code.name, said.message) == (
        "route_not_allowed",
        "line 1: this API key may not use that model",
    )


def test_more_lines_than_the_target_takes_are_too_many(tmp_path: Path) -> None:
    said = no(tmp_path, *LINES)
    assert said.code.name == "body_too_large"
    assert said.message == "line 5: a file of that model has at most 4 lines"


def test_a_line_too_long_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_input, "MAX_LINE_BYTES", 100)
    assert no(tmp_path, jsonl(LINES[:1])).code.name == "body_too_large"


def test_limits_that_judge_a_request_by_itself_judge_each_line(tmp_path: Path) -> None:
    short = Limit("short", "max_output_tokens", 10, on_excess="cap")
    sent, _ = take(tmp_path, *LINES[:2], limits=(short,))
    assert [one["body"]["max_tokens"] for one in sent] == [10, 10]
    strict = Limit("strict", "max_output_tokens", 10)
    said = no(tmp_path, line(0, max_tokens=5), LINES[1], limits=(strict,))
    assert (said.code.name, said.message[:8]) == ("output_too_long", "line 2: ")


def test_what_the_model_cannot_take_is_not_sent(tmp_path: Path) -> None:
    long = [{"role": "user", "content": "word " * 200}]
    said = no(tmp_path, line(0, model="short"), line(1, model="short", messages=long))
    assert said.code.name == "context_length_exceeded"
    assert said.message.startswith("line 2: this model's context is 60 tokens")


def test_what_a_route_has_is_done_to_lines_or_told_on_the_page() -> None:
    """A new thing that routes can do is not passed by unseen: it is put into one of these."""
    done = {"route", "pool", "target", "prompt", "addition", "off", "output_cap_tokens"}
    # What docs/batches.md says that batches go without.
    told = {"fallbacks", "contract", "candidate", "beside", "warm", "cache", "vectors"}
    told |= {"guardrails", "ladder"}
    # How routes are reckoned and answered: nothing of it changes what is asked.
    inner = {"bound", "budget", "heads", "alone", "told"}
    assert set(PreparedRoute.__struct_fields__) == done | told | inner


def of_responses(**body: Any) -> dict[str, Any]:
    asked = {"model": "new", "input": "hi", "max_output_tokens": 20, **body}
    return {"custom_id": "r-1", "method": "POST", "url": "/v1/responses", "body": asked}


NEW = target(1, "new", dialect="openai", batches=Batches(HALF))


def test_a_line_may_ask_responses_where_its_target_speaks_them(tmp_path: Path) -> None:
    (sent,), read = take(tmp_path, of_responses())
    assert (sent["url"], sent["body"]["model"]) == ("/v1/responses", "served-model")
    assert read.dialect == "openai_responses"
    # 20 tokens of answer at half of 2,000 nano-dollars, and the input's bytes.
    assert 20_000 < read.most_nanousd == read.line_nanousd
    assert "url" in no(tmp_path, of_responses(), line(0, model="new")).message
    for body in (
        {"previous_response_id": "resp_1"},
        {"background": True},
        {"conversation": "c"},
        {"stream": True},
        {"model": "small"},
    ):
        with pytest.raises(Refusal):
            take(tmp_path, of_responses(**body))
