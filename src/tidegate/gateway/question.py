"""question: the wording that is compared, and everything else, which has to be equal.

Of a request in its canonical text the last user turn's last text is the question. All the rest is
told apart by its digest: instructions, tools, sampling, form, earlier turns, and what else the last
turn says. Where that turn has anything but text nothing is compared. Pure.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES
from tidegate.core.receipt import OPENAI_CHAT
from tidegate.gateway.canonical import Canonical

# What encoders of sentences read whole, of most languages; what is cut off cannot be compared.
MOST_CHARS: Final = 500
_CONTENT: Final = {
    OPENAI_CHAT: "messages",
    ANTHROPIC_MESSAGES: "messages",
    OPENAI_RESPONSES: "input",
}
_TEXTS: Final = {OPENAI_CHAT: "text", ANTHROPIC_MESSAGES: "text", OPENAI_RESPONSES: "input_text"}
_BLANKS: Final = str.maketrans("\t\r\n", "   ")
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Question(Struct, frozen=True):
    """`rest` is JSON, with null in the place of `text`, where nothing else can have one."""

    text: str
    rest: bytes


def question_of(asked: Canonical, dialect: str) -> Question | None:
    """None where there is nothing that could be compared: the last turn is no user's, says more
    than text, or is too long, empty, or has characters in it that nobody sees."""
    name = _CONTENT.get(dialect)
    if name is None:
        return None
    members = _decode(asked.text)
    holder, at = _place(members, name, _TEXTS[dialect])
    if holder is None:
        return None
    text = holder.get(at)
    if type(text) is not str or not is_comparable(text):
        return None
    holder[at] = None
    return Question(text, _encode(members))


def is_comparable(text: str) -> bool:
    """Whether an encoder reads all of it, and so does whoever looks at it."""
    if len(text) > MOST_CHARS or not text.translate(_BLANKS).isprintable():
        return False
    return any(char.isalnum() for char in text)


def _place(members: dict[str, Any], name: str, kind: str) -> tuple[Any, Any]:
    """What holds the question, and its place in it."""
    turns = members.get(name)
    if type(turns) is str:
        return members, name
    turn = turns[-1] if type(turns) is list and turns else None
    if type(turn) is not dict or turn.get("role") != "user":
        return None, None
    if turn.get("type", "message") != "message":
        return None, None
    parts = turn.get("content")
    if type(parts) is str:
        return turn, "content"
    if type(parts) is not list or not parts:
        return None, None
    if any(type(part) is not dict or part.get("type") != kind for part in parts):
        return None, None
    return parts[-1], "text"
