"""One answer has one verdict: in every wire, whole or streamed, passed on or translated, however
its bytes are cut."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.wires import (
    SCHEMA,
    STAMP,
    WAYS,
    Part,
    asked,
    call,
    text,
    told,
    whole_body,
    written,
)

from tidegate.core import plugs
from tidegate.core.plan import Contract
from tidegate.core.plugs import Dialect, Provider, StreamReader
from tidegate.core.spoken import (
    Event,
    Reason,
    answer_of,
)
from tidegate.core.translated import TranslatedReader
from tidegate.gateway.contract import (
    Following,
    PreparedContract,
    Verdict,
    is_refused,
    is_truncated,
    judge_answer,
)


def followed(
    way: tuple[str, str, str], contract: PreparedContract, parts: Iterator[bytes]
) -> tuple[Verdict | None, bytes]:
    """The verdict, and what the caller saw."""
    caller, wire, plug = way
    provider: Provider = plugs.load("providers", plug)
    ask = asked(caller)
    dialect: Dialect = plugs.load("dialects", caller)
    reader: StreamReader
    if caller == wire:
        reader = provider.passthrough[caller].reader(ask)
    else:
        reader = TranslatedReader(provider.spoken_reader(ask), dialect.writer(ask, STAMP))
    following = reader.follower = contract.follow(ask)
    seen = b"".join([reader.feed(part) for part in parts])
    reader.end()
    if reader.finished:
        following.end(
            truncated=is_truncated(reader.finish_reason),
            called=reader.called,
            ended_twice=reader.ended_twice,
            refused=reader.refused or is_refused(reader.finish_reason),
        )
    return following.verdict, seen


def whole(way: tuple[str, str, str], contract: PreparedContract, events: list[Event]) -> Following:
    """The verdict on the same answer in one piece."""
    caller, wire, plug = way
    provider: Provider = plugs.load("providers", plug)
    ask = asked(caller)
    ask.stream = False
    body = whole_body(wire, events)
    answer = (
        provider.passthrough[caller].read_answer(ask, body)
        if caller == wire
        else answer_of(provider.read_spoken(ask, body))
    )
    following = contract.follow(ask)
    judge_answer(following, answer)
    return following


def classed(verdict: Verdict | None) -> Any:
    return verdict and (verdict.validity, verdict.at_bytes, verdict.path, verdict.rule)


JSON = {"json": True}
CASES: list[tuple[dict[str, Any], list[Part], Reason, Any]] = [
    (JSON, [text('{"n"', ": 1}")], "stop", ("valid", None, None, None)),
    (JSON, [text('{"n"', ": é}")], "stop", ("malformed", 6, None, None)),
    (JSON, [text('{"n"')], "stop", ("malformed", 4, None, None)),
    (JSON, [text('{"n"')], "length", ("truncated", None, None, None)),
    (JSON, [], "stop", ("empty", None, None, None)),
    (JSON, [], "refusal", None),
    (
        {"json_schema": msgspec.json.encode(SCHEMA).decode()},
        [text('{"n":', ' "1"}')],
        "stop",
        ("schema_violation", None, "/n", "type"),
    ),
    (
        {"regex": "^[A-Z]+$"},
        [text("AB", "c")],
        "stop",
        ("schema_violation", None, "", "pattern"),
    ),
    (
        {"max_chars": 3},
        [text("ab", "cd")],
        "stop",
        ("schema_violation", None, "", "maxLength"),
    ),
    ({"tools": True}, [call("add", '{"n"', ":1}")], "tool_calls", ("valid", None, None, None)),
    (
        {"tools": True},
        [text("Now"), call("add", '{"n":1}'), call("add", '{"n":', '"1"}')],
        "tool_calls",
        ("schema_violation", None, "/tool_calls/1/arguments/n", "type"),
    ),
    (
        {"tools": True},
        [call("add")],
        "tool_calls",
        ("schema_violation", None, "/tool_calls/0/arguments", "required"),
    ),
    (
        {"tools": True},
        [call("sub", "{}")],
        "tool_calls",
        ("schema_violation", None, "/tool_calls/0/name", "enum"),
    ),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}-{way[2]}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case[3] and case[3][0]))
def test_an_answer_has_one_verdict_in_every_wire(way: Any, case: Any) -> None:
    fields, parts, reason, found = case
    contract = PreparedContract(Contract(**fields))
    data = written(way[1], told(parts, reason))
    assert classed(followed(way, contract, iter([data]))[0]) == found
    by_byte = (data[at : at + 1] for at in range(len(data)))
    assert classed(followed(way, contract, by_byte)[0]) == found
    assert classed(whole(way, contract, told(parts, reason)).verdict) == found


_PIECES = st.lists(st.sampled_from(['{"n"', ":", " 1", '"é"', ",", "}", "x", ""]), max_size=6)


@given(
    st.sampled_from(WAYS),
    st.sampled_from([JSON, {"max_chars": 4}, {"tools": True}]),
    _PIECES,
    st.booleans(),
    st.lists(st.integers(0, 3000), max_size=8),
    st.sampled_from(["mark", "fail"]),
)
def test_any_cut_of_the_bytes_has_the_same_verdict_and_shows_the_same(
    way: Any, fields: Any, pieces: list[str], calls: bool, places: list[int], rule: Any
) -> None:
    parts = [call("add", *pieces)] if calls else [text(*pieces)]
    data = written(way[1], told(parts, "tool_calls" if calls else "stop"))
    contract = PreparedContract(Contract(**fields, on_violation=rule))
    ends = sorted({place % (len(data) + 1) for place in places})
    cut = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    assert followed(way, contract, iter(cut)) == followed(way, contract, iter([data]))
