"""The common middle of requests: what may be left out of one without asking."""

from tidegate.core.conversation import HINTS, Conversation, Turn

DECIDES = {"turns", "instructions", "tools", "tool_choice", "output", "ceiling_tokens", "stop"}


def test_nothing_that_decides_an_answer_is_a_hint() -> None:
    assert set(Conversation.__struct_fields__) > DECIDES
    assert not HINTS & DECIDES
    assert not HINTS & {"choices", "seed", "temperature", "thinking", "unread"}


def test_two_conversations_share_nothing() -> None:
    one, other = Conversation([]), Conversation([])
    one.turns.append(Turn("user", ()))
    one.stop.append("END")
    one.metadata["a"] = "b"
    assert (other.turns, other.stop, other.metadata) == ([], [], {})
