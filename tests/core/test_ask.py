"""What a caller asks for: unknown stays unknown, bytes stay bytes."""

import pytest
from msgspec import Raw

from tidegate.core.ask import Answer, Ask, Outgoing, Usage


def test_what_the_caller_left_out_is_unknown_and_not_zero() -> None:
    ask = Ask(endpoint="chat", body=b"{}", members={}, model="m")
    assert ask.output_ceiling_tokens is None
    assert ask.choices == 1
    assert not ask.stream


def test_members_keep_the_bytes_that_came() -> None:
    ask = Ask("chat", b'{"top_p": 1.50}', {"top_p": Raw(b"1.50")}, "m")
    assert bytes(ask.members["top_p"]) == b"1.50"


def test_usage_tells_unknown_from_none() -> None:
    usage = Usage(input_tokens=0)
    assert usage.input_tokens == 0
    assert usage.output_tokens is None
    assert not usage.conflict


@pytest.mark.parametrize(
    "said", [Usage(), Outgoing(b"/x", b""), Answer(None, None, None, None, b"")]
)
def test_what_a_provider_said_is_not_edited(said: Usage | Outgoing | Answer) -> None:
    name = said.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(said, name, 1)
