"""What is posted to an address, and what its answers mean."""

import msgspec
import pytest
from tests.guardrails.looked import complaint

from tidegate.core.guardrail import Guardrail, Verdict
from tidegate.guardrails.http import plug

GUARDRAIL = Guardrail("outside", "http", "block", url="http://x")


def test_it_is_told_which_texts_of_what() -> None:
    asked = plug.question(GUARDRAIL, "input", "support", ["a"], "r-1")
    assert msgspec.json.decode(asked) == {
        "guardrail": "outside",
        "route": "support",
        "side": "input",
        "request_id": "r-1",
        "texts": ["a"],
    }


def test_a_verdict_is_read() -> None:
    assert plug.verdict(200, b'{"action":"block","types":["x"]}', 1) == Verdict("block", ("x",))
    assert plug.verdict(200, b'{"action":"redact","texts":["b"]}', 1).texts == ("b",)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (200, b"no"),
        (200, b'{"action":"maybe"}'),
        (200, b'{"action":"redact","texts":[]}'),
    ],
)
def test_anything_else_is_none(status: int, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"status|verdict"):
        plug.verdict(status, body, 1)


def test_what_it_does_is_for_the_address_to_say() -> None:
    assert complaint("http", url="http://x", actions=(("x", "mark"),)) is not None
    with pytest.raises(ValueError, match="is asked"):
        plug.detector(GUARDRAIL)
