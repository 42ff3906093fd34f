"""Lines of results, however they come, and what each of them says."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.batched import HALF
from tests.gateway.rig import gateway, make_key, target

from tidegate.core import clock
from tidegate.core.batches import Batches
from tidegate.core.feedback import is_request_id
from tidegate.core.price import Rate
from tidegate.gateway.batch_ids import Sealed
from tidegate.gateway.batch_place import account
from tidegate.gateway.batch_price import pinned
from tidegate.gateway.batch_results import TOO_LONG, Owner, Pricing, Splitter, line_id
from tidegate.stores.receipts import first_id_at

RESULTS = Sealed(
    "results",
    "file-o",
    b"p" * 9,
    "small",
    "chat",
    "k8",
    "team-a",
    "acme",
    1_790_000_000_123,
    "batch_up",
)
ANSWER = {
    "id": "chatcmpl-1",
    "model": "served-1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "yes"}}],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 6},
    },
}


def row(status: int = 200, body: Any = ANSWER, error: Any = None, **fields: Any) -> bytes:
    response = {"status_code": status, "request_id": "req_1", "body": body}
    told = {"id": "r", "custom_id": "one", "response": response, "error": error, **fields}
    return msgspec.json.encode(told)


@given(st.lists(st.sampled_from([b"a", b"bb", b"", b" ", b"c" * 20])), st.data())
def test_any_slicing_gives_the_same_lines(lines, data):
    text = b"\n".join(lines)
    splitter, found, at = Splitter(most=10), [], 0
    while at < len(text):
        size = data.draw(st.integers(1, len(text)))
        found += splitter.feed(text[at : at + size])
        at += size
    found += splitter.end()
    cut = [line if len(line) <= 10 else TOO_LONG for line in lines]
    assert found == [line for line in cut if line.strip()]


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_lines_id_follows_from_what_names_it(one, other):
    assert (line_id(5, "up", "b", one) == line_id(5, "up", "b", other)) == (one == other)
    assert line_id(5, "up", "b", one) != line_id(5, "up", "c", one) != line_id(5, "else", "c", one)


def test_an_id_sorts_by_when_its_batch_began():
    now_ms = int(clock.wall_s() * 1000)
    id, later = line_id(now_ms, "up", "b", "one"), line_id(now_ms + 1, "up", "b", "one")
    assert is_request_id(id)
    assert first_id_at(now_ms / 1000 - 0.5) < id < later < first_id_at(now_ms / 1000 + 0.5)


def read(tmp_path: Path, *lines: bytes, sealed: Sealed = RESULTS, **fields: Any) -> list[Any]:
    found: list[Any] = []

    async def main() -> None:
        fields_of = {"batches": Batches(HALF), **fields}
        async with gateway(tmp_path, target(1, **fields_of)) as it:
            prepared = it.world.obeyed().routes["small"].target
            at = account(prepared, prepared.replicas[0])
            key = make_key(team="team-a", customer="acme", attributes={"unit": "x"})[1]
            pricing = Pricing(at, Owner(sealed, key), "gateway-0", 7)
            found.extend(pricing.receipt(line) for line in lines)

    asyncio.run(main())
    return found


def test_an_answer_is_priced_at_the_batch_price(tmp_path: Path) -> None:
    (receipt,) = read(tmp_path, row())
    assert (receipt.input_tokens, receipt.cache_read_tokens) == (4, 6)
    assert receipt.output_tokens == 4
    # Half of 1,000 and 2,000 nano-dollars a token.
    assert receipt.cost_nanousd == 10 * 500 + 4 * 1_000
    assert receipt.price_version == "plan:test x0.5"
    assert receipt.started_at_s == 1_790_000_000.123
    assert (receipt.key_id, receipt.team, receipt.customer) == ("k8", "team-a", "acme")
    assert receipt.attributes == {"unit": "x", "batch": "batch_up", "custom_id": "one"}
    assert (receipt.model_asked, receipt.model_wanted) == ("small", "served-model")
    assert receipt.model_served == "served-1"
    assert receipt.provider_request_id == "req_1"
    assert not receipt.is_production


def test_what_failed_costs_nothing_and_says_why(tmp_path: Path) -> None:
    no = {"error": {"message": "too long sk-abcdefghijklmnop", "type": "invalid_request_error"}}
    late = {"code": "batch_expired", "message": "This request could not be executed in time."}
    back = {"code": "batch_cancelled", "message": "Cancelled."}
    found = read(
        tmp_path,
        row(400, no),
        row(429, {}),
        row(response=None, error=late),
        row(response=None, error=back),
        row(response=None),
        row(error={"code": 3}),
    )
    assert [one.cost_nanousd for one in found] == [0] * 6
    assert [one.error_code for one in found] == [
        "rejected_by_provider",
        "upstream_rate_limited",
        "upstream_timeout",
        "client_closed",
        "upstream_error",
        "upstream_error",
    ]
    assert "[redacted]" in found[0].error_message
    assert [one.status for one in found[:3]] == [400, 429, None]
    assert found[3].cancelled_by == "client"


def test_what_nobody_can_price_is_unknown_and_not_nothing(tmp_path: Path) -> None:
    conflict = {
        **ANSWER,
        "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}},
    }
    found = read(
        tmp_path,
        row(body={**ANSWER, "usage": None}),
        row(body=conflict),
        row(body={"odd": 1}),
        row(body=None),
    )
    assert [one.cost_nanousd for one in found] == [None] * 4
    assert [one.most_nanousd for one in found] == [None] * 4  # an id of before tells no bound
    assert found[1].usage_conflict
    assert found[2].error_code == "upstream_malformed"
    (unpriced,) = read(tmp_path, row(), batches=Batches(None))
    assert (unpriced.cost_nanousd, unpriced.price_version) == (None, None)


def test_what_is_no_line_may_have_cost_as_much_as_the_dearest(tmp_path: Path) -> None:
    lines = (b"{", b"[]", b"{}", b"\xff", row()[:-20], b'{"custom_id": 3}', b"[" * 100_000)
    found = read(tmp_path, *lines, sealed=replace(RESULTS, line_nanousd=9))
    assert len({one.id for one in found}) == len(lines)
    assert {(one.cost_nanousd, one.most_nanousd) for one in found} == {(None, 9)}
    assert {one.error_code for one in found} == {"upstream_malformed"}
    assert [one.id for one in read(tmp_path, *lines)] == [one.id for one in found]


def test_what_stands_for_a_line_that_is_too_long_is_no_line(tmp_path: Path) -> None:
    (receipt,) = read(tmp_path, TOO_LONG)
    assert receipt.error_code == "upstream_malformed"


def test_a_line_costs_what_it_was_sent_for(tmp_path: Path) -> None:
    sealed = replace(RESULTS, price=pinned(replace(HALF, version="then", input=Rate(0))))
    (receipt,) = read(tmp_path, row(), sealed=sealed)
    assert (receipt.cost_nanousd, receipt.price_version) == (4 * 1_000, "then")


def test_an_answer_of_responses_is_read_as_one(tmp_path: Path) -> None:
    said = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "served-1",
        "output": [],
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 6},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    sealed = replace(RESULTS, dialect="openai_responses")
    (receipt,) = read(tmp_path, row(body=said), sealed=sealed, dialect="openai")
    assert receipt.cost_nanousd == 10 * 500 + 4 * 1_000
    assert receipt.dialect == "openai_responses"
