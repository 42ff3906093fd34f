"""What a later request of a conversation says of an answer: that its user went on, and how.

Requests carry what was said before them. So a later one shows whether it goes on from an answer,
asks the same once more without it, or has another text in the question's place.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

# What one message of a conversation is, whatever the wire: a tool's are its calls and its results.
Part = Literal["user", "answer", "tool"]
_TOOL_ITEMS: Final = ("_call", "_call_output")
_RESULTS: Final = ("tool_result", "function_call_output")
# By so much of its beginning an answer is known that was kept in part.
_BEGINNING_CHARS: Final = 200
_decode: Final = msgspec.json.Decoder().decode


class Spoken(Struct, frozen=True):
    """One message. Instructions of a system are none."""

    part: Part
    text: str


class NextTurn(Struct, frozen=True):
    """`said`: the user went on with `text`. `alone`: they did so, or their client asked for
    something of its own, such as a title. `again`: the same was asked once more without the answer.
    `edited`: `text` stands in the question's place. `perhaps`: one of these, but of somebody else's
    conversation as likely."""

    how: Literal["said", "alone", "again", "edited", "perhaps"]
    text: str = ""


def spoken(messages: str) -> list[Spoken] | None:
    """A captured request's messages; None where they are none."""
    try:
        told = _decode(messages)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(told, list):
        return None
    return [made for it in told if isinstance(it, dict) and (made := _spoken(it)) is not None]


def last_question(told: Sequence[Spoken]) -> int | None:
    """Where the user's last turn stands; None where there is none."""
    return next((at for at in reversed(range(len(told))) if told[at].part == "user"), None)


def next_turn(
    asked: Sequence[Spoken], answer: str, later: Sequence[Spoken], *, is_known: bool
) -> NextTurn | None:
    """How the user of `asked`, who got `answer`, went on by a later request. None: that is no turn
    of theirs, such as another step of the same one. `is_known`: who talks is known by more than how
    the conversation began."""
    at = last_question(asked)
    if at is None or last_question(later) is None:
        return None
    talked = any(it.part == "answer" for it in asked[:at])
    if list(later[: at + 1]) == list(asked[: at + 1]):
        return _after_it(asked[at + 1 :], answer, later[at + 1 :], is_known, talked)
    if talked and list(later[:at]) == list(asked[:at]) and _ends_in_question(later, at):
        return NextTurn("edited", later[at].text)
    found = _past_answer(asked[at], answer, later)
    if found is not None:
        return found
    alone = at == 0 and len(later) == 1
    return NextTurn("alone", later[0].text) if alone and is_known else None


def _after_it(
    steps: Sequence[Spoken], answer: str, after: Sequence[Spoken], is_known: bool, talked: bool
) -> NextTurn | None:
    """`after` is what a later request has behind the same question."""
    if not after or list(after) == list(steps):
        return NextTurn("again" if is_known or talked else "perhaps")
    turn = next((n for n, it in enumerate(after) if it.part == "user"), None)
    if turn is None:
        return None
    if is_known or any(_is_same(it, answer) for it in after[:turn]):
        return NextTurn("said", after[turn].text)
    return NextTurn("perhaps")


def _past_answer(question: Spoken, answer: str, later: Sequence[Spoken]) -> NextTurn | None:
    """Where a client leaves out the beginning: behind the question and its answer."""
    for at in reversed(range(len(later) - 2)):
        if later[at] == question and _is_same(later[at + 1], answer):
            rest = (it.text for it in later[at + 2 :] if it.part == "user")
            text = next(rest, None)
            return None if text is None else NextTurn("said", text)
    return None


def _ends_in_question(later: Sequence[Spoken], at: int) -> bool:
    return len(later) == at + 1 and later[at].part == "user"


def _is_same(it: Spoken, answer: str) -> bool:
    """Whether the client has written back that answer, of which only the beginning may be kept."""
    if it.part != "answer":
        return False
    theirs, ours = " ".join(it.text.split()), " ".join(answer.split())
    return theirs == ours or (
        len(ours) >= _BEGINNING_CHARS and theirs[:_BEGINNING_CHARS] == ours[:_BEGINNING_CHARS]
    )


def _spoken(message: dict[str, Any]) -> Spoken | None:
    role, kind, content = message.get("role"), message.get("type"), message.get("content")
    if role in ("system", "developer") or kind == "reasoning":
        return None
    blocks = content if isinstance(content, list) else []
    if role in ("tool", "function") or (isinstance(kind, str) and kind.endswith(_TOOL_ITEMS)):
        return Spoken("tool", msgspec.json.encode(message).decode())
    if any(isinstance(it, dict) and it.get("type") in _RESULTS for it in blocks):
        return Spoken("tool", msgspec.json.encode(content).decode())
    text = content if isinstance(content, str) else "\n".join(_texts(blocks))
    if role == "assistant":
        return Spoken("answer" if text.strip() else "tool", text.strip())
    return Spoken("user", text.strip())


def _texts(blocks: Sequence[Any]) -> list[str]:
    found = []
    for it in blocks:
        text = it.get("text") if isinstance(it, dict) else it
        if isinstance(text, str):
            found.append(text)
    return found
