"""The common middle of the dialects, answers: events, and the whole answer that they fold into.

A provider's reader turns bytes into events, a caller's dialect writes events in its own wire. The
order in one choice: `Began`, then for each part `PartBegan`, any `PartGrew`, `PartEnded`, then
`Ended` once. `index` numbers a choice's parts from 0 in the order in which they began; parts may
overlap where a wire lets them. `Used` may come anywhere after `Began` and any number of times: each
tells all that is known so far. That an answer is whole is not an event: its reader says `finished`.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from tidegate.core.ask import Answer, Said, Usage
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall, Wire

Kind = Literal["text", "reasoning", "tool_call", "refusal"]
# `sealed` is encrypted reasoning; `signature` proves a reasoning or the reasoning before a call.
Grown = Literal["text", "arguments", "signature", "sealed"]
# `context_full`: the model's context ended before the caller's ceiling. `pause`: to be sent again.
Reason = Literal[
    "stop", "stop_sequence", "length", "context_full", "tool_calls", "refusal", "pause"
]
# What receipts and metrics call it: a reason's name on OpenAI's wire.
FINISH_REASONS: dict[Reason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context_full": "length",
    "tool_calls": "tool_calls",
    "refusal": "content_filter",
    "pause": "stop",
}


class Began(Struct, frozen=True, gc=False):
    """The answer has begun. `usage` is what its wire tells of the input at this point."""

    id: str | None = None
    model: str | None = None
    usage: Usage | None = None


class PartBegan(Struct, frozen=True, gc=False):
    """`call_id` and `name` are a tool call's; `wire` is who signs or seals a reasoning."""

    choice: int
    index: int
    kind: Kind
    call_id: str | None = None
    name: str | None = None
    wire: Wire | None = None
    id: str | None = None


class PartGrew(Struct, frozen=True, gc=False):
    """`text` is added at the end of what has grown so far."""

    choice: int
    index: int
    grown: Grown
    text: str


class PartEnded(Struct, frozen=True, gc=False):
    choice: int
    index: int


class Ended(Struct, frozen=True, gc=False):
    """A choice is complete."""

    choice: int
    reason: Reason
    stop_sequence: str | None = None


class Used(Struct, frozen=True, gc=False):
    """All that is known of the tokens so far, of all choices together."""

    usage: Usage


Event = Began | PartBegan | PartGrew | PartEnded | Ended | Used
SpokenPart = Text | Reasoning | ToolCall | Refused


class Choice(Struct):
    """One choice of a whole answer; `reason` None where it did not end."""

    parts: list[SpokenPart] = []
    reason: Reason | None = None
    stop_sequence: str | None = None


class Spoken(Struct):
    """A whole answer. `choices` are in the order of their indexes; `service_tier` is the class of
    service that has made it, `model_fingerprint` the build, by its provider's word."""

    id: str | None = None
    model: str | None = None
    usage: Usage | None = None
    choices: list[Choice] = []
    service_tier: str | None = None
    model_fingerprint: str | None = None


class _Growing:
    """A part on its way: the pieces of what has grown, by its name."""

    __slots__ = ("began", "pieces")

    def __init__(self, began: PartBegan) -> None:
        self.began = began
        self.pieces: dict[Grown, list[str]] = {}

    def grown(self, name: Grown) -> str | None:
        pieces = self.pieces.get(name)
        return None if pieces is None else "".join(pieces)

    def part(self) -> SpokenPart:
        began = self.began
        if began.kind == "tool_call":
            arguments = self.grown("arguments") or ""
            signature = self.grown("signature")
            return ToolCall(began.call_id or "", began.name or "", arguments, signature, began.wire)
        text = self.grown("text") or ""
        if began.kind == "reasoning":
            signature, sealed = self.grown("signature"), self.grown("sealed")
            return Reasoning(text, signature, sealed, began.wire, began.id)
        return Refused(text) if began.kind == "refusal" else Text(text)


def fold(events: Iterable[Event]) -> Spoken:
    """The whole answer that `events` come to. Pieces of no part that began are left out."""
    whole = Spoken()
    parts: dict[tuple[int, int], _Growing] = {}
    ends: dict[int, Ended] = {}
    for event in events:
        if type(event) is PartGrew:
            growing = parts.get((event.choice, event.index))
            if growing is not None:
                growing.pieces.setdefault(event.grown, []).append(event.text)
        elif type(event) is PartBegan:
            parts[event.choice, event.index] = _Growing(event)
        elif type(event) is Ended:
            ends[event.choice] = event
        elif type(event) is Used:
            whole.usage = event.usage
        elif isinstance(event, Began):
            whole.id, whole.model = event.id, event.model
            whole.usage = event.usage if whole.usage is None else whole.usage
    spoken: dict[int, list[SpokenPart]] = {index: [] for index in ends}
    for place in sorted(parts):
        spoken.setdefault(place[0], []).append(parts[place].part())
    for index in sorted(spoken):
        end = ends.get(index)
        if end is None:
            whole.choices.append(Choice(spoken[index]))
        else:
            whole.choices.append(Choice(spoken[index], end.reason, end.stop_sequence))
    return whole


def unfold(whole: Spoken) -> list[Event]:
    """Events that fold into this answer: each part in one piece."""
    events: list[Event] = [Began(whole.id, whole.model, whole.usage)]
    for number, choice in enumerate(whole.choices):
        for index, part in enumerate(choice.parts):
            events += _told_of(part, number, index)
        if choice.reason is not None:
            events.append(Ended(number, choice.reason, choice.stop_sequence))
    if whole.usage is not None:
        events.append(Used(whole.usage))
    return events


def _told_of(part: SpokenPart, choice: int, index: int) -> list[Event]:
    grown: list[tuple[Grown, str | None]] = []
    if isinstance(part, ToolCall):
        began = PartBegan(choice, index, "tool_call", part.id, part.name, part.wire)
        grown = [("arguments", part.arguments), ("signature", part.signature)]
    elif isinstance(part, Reasoning):
        began = PartBegan(choice, index, "reasoning", wire=part.wire, id=part.id)
        grown = [("text", part.text), ("signature", part.signature), ("sealed", part.sealed)]
    else:
        began = PartBegan(choice, index, "refusal" if isinstance(part, Refused) else "text")
        grown = [("text", part.text)]
    pieces: list[Event] = [PartGrew(choice, index, name, text) for name, text in grown if text]
    return [began, *pieces, PartEnded(choice, index)]


def answer_of(whole: Spoken) -> Answer:
    """What a receipt notes of a whole answer; its text only where the usage is unknown."""
    reason = whole.choices[-1].reason if whole.choices else None
    known = whole.usage is not None and not whole.usage.conflict
    text = "" if known else "".join(text_of(part) for one in whole.choices for part in one.parts)
    finish = None if reason is None else FINISH_REASONS[reason]
    said = tuple([_said(one) for one in whole.choices])
    return Answer(
        whole.usage,
        finish,
        whole.model,
        whole.id,
        text.encode(),
        whole.service_tier,
        said,
        whole.model_fingerprint,
    )


def _said(choice: Choice) -> Said:
    content = "".join(part.text for part in choice.parts if isinstance(part, Text))
    refused = any(isinstance(part, Refused) for part in choice.parts)
    calls = [(it.name, it.arguments) for it in choice.parts if isinstance(it, ToolCall)]
    return Said(content, refused, tuple(calls))


def text_of(part: SpokenPart) -> str:
    """What a model has written of a part, for counting its tokens."""
    return part.name + part.arguments if isinstance(part, ToolCall) else part.text
