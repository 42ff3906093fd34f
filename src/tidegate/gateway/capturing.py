"""capturing: one request's question and answer become a record that may be kept.

The question is what its model was asked: with its route's prompt, in its caller's wire.
"""

import re
from collections import Counter
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask, content_name
from tidegate.core.capture import Capture, Captured, Kept
from tidegate.core.plugs import Follower
from tidegate.core.receipt import Receipt
from tidegate.gateway.again import Again, Beside
from tidegate.gateway.heard import Heard

_SYSTEM: Final = {ANTHROPIC_MESSAGES: "system", OPENAI_RESPONSES: "instructions"}
_NULL: Final = b"null"
_MEDIA: Final = "[media]"
_OF_MEDIA: Final = frozenset({"media_type", "mime_type", "format"})
# The last word or number of what was cut: nobody knows what it would have become.
_TORN: Final = re.compile(r"(?:[\d().+ -]{4,64}|\S{1,256})\Z")
_TORN_CHARS: Final = 256
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class Personal(Protocol):
    """What takes out of a text what is not to be kept: `text.personal`, which is loaded once there
    is something to keep. `counts` is told of each kind how many there were."""

    def taken_out(self, text: str, counts: Counter[str]) -> str: ...


class Capturing(Struct, eq=False):
    """A request that is to be kept: what it asked, and what of its answer was heard so far. `again`
    is the kept answer that it was given, `beside` the kept question that it was found to be
    like."""

    capture: Capture
    turns: Raw
    system: Raw | None
    heard: Heard | None = None
    tools: Raw | None = None
    conversation: str | None = None
    again: Again | None = None
    beside: Beside | None = None

    def hear(self, inner: Follower | None) -> Heard:
        """Begins anew with an attempt's answer."""
        self.heard = Heard(self.capture.max_bytes, inner)
        return self.heard

    @property
    def asked_bytes(self) -> int:
        several = (self.turns, self.system, self.tools)
        return sum(len(bytes(it)) for it in several if it is not None)

    @property
    def kept_bytes(self) -> int:
        """What of kept answers is to be read yet."""
        beside = self.beside
        whole = 0 if self.again is None else len(self.again.answer.body)
        if beside is None:
            return whole
        nearly = 0 if beside.answer is None else len(beside.answer.answer.body)
        return whole + nearly + len(beside.question)


def question_of(ask: Ask, capture: Capture) -> Capturing | None:
    """None where nothing is asked that is kept, such as what is to be embedded."""
    turns = ask.members.get(content_name(ask))
    if turns is None or ask.counts or ask.endpoint not in ("chat", "completions"):
        return None
    system = ask.members.get(_SYSTEM.get(ask.dialect, ""))
    found = Capturing(capture, turns, system)
    tools = ask.members.get("tools")
    if tools is not None and found.asked_bytes + len(bytes(tools)) <= capture.max_bytes:
        found.tools = tools
    return found


def record(capturing: Capturing, heard: Heard, receipt: Receipt, personal: Personal) -> Captured:
    """What is kept of a settled request, with nothing in it that has to be taken out."""
    capture, counts = capturing.capture, Counter[str]()
    kept_from, beside = receipt.cache_from, capturing.beside
    if beside is not None:
        kept_from = kept_from or beside.kept_from
    messages = _encode(_clean(_messages(capturing), personal, counts)).decode()
    tools = None
    if capturing.tools is not None:
        tools = _encode(_clean(_decode(capturing.tools), personal, counts)).decode()
    cut = receipt.error_code is not None or receipt.interrupted
    torn = cut or heard.shortened
    answer = _end(personal.taken_out(heard.text, counts), torn=torn)
    begun = _beginning(answer, capture.max_bytes)
    calls = [
        (personal.taken_out(name, counts), _end(personal.taken_out(said, counts), torn=torn))
        for name, said in heard.calls
    ]
    return Captured(
        receipt_id=receipt.id,
        at_s=receipt.started_at_s,
        until_s=receipt.started_at_s + capture.keep_s,
        route=receipt.route or "",
        messages=messages,
        answer=begun,
        purpose=receipt.purpose,
        key_id=receipt.key_id,
        team=receipt.team,
        customer=receipt.customer,
        end_user=receipt.end_user,
        release=receipt.release,
        arm=receipt.arm,
        prompt=receipt.prompt,
        prompt_version=receipt.prompt_version,
        target=receipt.target,
        model=receipt.model_served or receipt.model_wanted,
        calls=tuple(calls),
        cut=cut,
        shortened=heard.shortened or len(begun) < len(answer),
        redacted=dict(counts),
        tools=tools,
        conversation=capturing.conversation,
        cache=receipt.cache,
        cache_tier=receipt.cache_tier if beside is None else "semantic",
        cache_from=kept_from,
        cache_score=None if beside is None else beside.score,
        cache_veto=None if beside is None else beside.veto,
        compared_by=None if beside is None else beside.compared_by,
        kept=None if beside is None else _kept(beside, capture, personal),
    )


def _kept(beside: Beside, capture: Capture, personal: Personal) -> Kept | None:
    """None where it cannot be kept whole: nobody could tell then whether both ask the same."""
    counts = Counter[str]()
    question = personal.taken_out(beside.question, counts)
    is_taken_out = bool(counts)
    if len(question.encode()) > capture.max_bytes:
        return None
    if beside.answer is None:
        return Kept(question, taken_out=is_taken_out)
    heard = beside.answer.heard(capture.max_bytes)
    if heard is None or heard.shortened or heard.calls:
        return None
    answer = personal.taken_out(heard.text, counts)
    if len(answer.encode("utf-8", "replace")) > capture.max_bytes:
        return None
    return Kept(question, answer, is_taken_out)


def _beginning(text: str, most_bytes: int) -> str:
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def _messages(capturing: Capturing) -> list[Any]:
    """As an array of messages, whatever the wire: its system prompt first."""
    said: Any = _decode(capturing.turns)
    messages = said if isinstance(said, list) else [{"role": "user", "content": said}]
    if any(isinstance(it, str) for it in messages):  # several texts to complete
        messages = [{"role": "user", "content": it} for it in messages]
    system = capturing.system
    if system is not None and bytes(system) != _NULL:
        messages = [{"role": "system", "content": _decode(system)}, *messages]
    return messages


def _clean(value: Any, personal: Personal, counts: Counter[str]) -> Any:
    """The same with every text looked through, and without pictures and sounds."""
    if isinstance(value, str):
        if value.startswith("data:") and ";base64," in value[:200]:
            return _MEDIA
        return personal.taken_out(value, counts)
    if isinstance(value, list):
        return [_clean(it, personal, counts) for it in value]
    if isinstance(value, dict):
        if isinstance(value.get("data"), str) and not _OF_MEDIA.isdisjoint(value):
            value = {**value, "data": _MEDIA}
        return {
            personal.taken_out(name, counts): _clean(it, personal, counts)
            for name, it in value.items()
        }
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = personal.taken_out(str(value), counts)
        return value if shown == str(value) else shown
    return value


def _end(text: str, *, torn: bool) -> str:
    if not torn:
        return text
    head, tail = text[:-_TORN_CHARS], text[-_TORN_CHARS:]
    return head + _TORN.sub("[torn]", tail)
