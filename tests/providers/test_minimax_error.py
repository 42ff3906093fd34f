"""MiniMax says what is wrong by numbers, with status 200."""

from pathlib import Path

import msgspec
import pytest
from tests.providers.streams import asked, choice, sent

from tidegate.core.outcome import Failure
from tidegate.providers._minimax_error import MiniMaxReader, failure_in
from tidegate.providers.minimax import plug

BYTES = Path(__file__).resolve().parents[1] / "bytes/minimax"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (1001, "timeout", "upstream_timeout"),
        (1002, "rate_limited", "upstream_rate_limited"),
        (1008, "unavailable", "upstream_auth"),
        (1027, "refused_by_safety", "rejected_by_provider"),
        (2013, "rejected", "rejected_by_provider"),
        (777, "unavailable", "upstream_error"),
    ],
)
def test_what_a_number_means(number: int, kind: str, code: str) -> None:
    told = {"choices": None, "base_resp": {"status_code": number, "status_msg": "secret"}}
    failure = failure_in(msgspec.json.encode(told))
    assert failure is not None and "secret" not in failure.message
    assert (failure.kind, failure.code.name) == (kind, code)
    with pytest.raises(Failure) as failed:
        plug.read_answer(asked(), msgspec.json.encode(told))
    assert failed.value.kind == kind
    for before in (b"", choice(content="a")):
        for choices in (None, []):
            reader = MiniMaxReader(asked(stream=True))
            assert reader.feed(before) == before
            assert reader.feed(sent({**told, "choices": choices})) == b""
            assert reader.failure is not None and reader.failure.kind == kind


@pytest.mark.parametrize("body", [b'{"base_resp":{"status_code":0}}', b'{"base_resp":7}', b"x"])
def test_what_says_nothing(body: bytes) -> None:
    assert failure_in(body) is None


def test_what_its_own_bodies_say() -> None:
    throttled = failure_in((BYTES / "throttled.json").read_bytes())
    assert throttled is not None and throttled.kind == "rate_limited"
    assert failure_in((BYTES / "chat.json").read_bytes()) is None
