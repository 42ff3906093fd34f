"""OpenAI's errors."""

import msgspec

from tidegate.core.outcome import Excess, Failure, Refusal
from tidegate.dialects._openai_error import error_body, status_of


def test_a_limit_is_named_with_how_it_stands() -> None:
    no = Refusal("rate_limit_exceeded", "no", excess=Excess("l", "key k", 5, 4))
    told = msgspec.json.decode(error_body(no))["error"]
    assert told["limit"] == {"limit": "l", "scope": "key k", "used": 5, "allowed": 4}
    assert (told["code"], status_of(no)) == ("rate_limit_exceeded", 429)


def test_a_failure_s_own_status_is_shown() -> None:
    no = Failure("rejected", "rejected_by_provider", "no", param="x")
    no.status = 422
    assert status_of(no) == 422
    assert msgspec.json.decode(error_body(no))["error"]["param"] == "x"
