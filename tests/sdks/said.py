"""What is said in the matrix of client libraries and providers, in nobody's wire."""

import base64
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pydantic

CEILING_TOKENS = 4_000
INSTRUCTION = "Be brief."
QUESTION = "How high is the tide in Zürich? «»\n"
TEXT = "Zürich lies at no sea: 0 m. 🌊"
THOUGHT = "Two tools are needed: one for each city."
# Of every sign that base64 has, and of no length that any wire expects.
SIGNATURE = base64.b64encode(bytes(range(256)) + b"\xfb\xff\xbe!").decode()
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(40))).decode()
PDF = base64.b64encode(b"%PDF-1.7\n" + bytes(range(50))).decode()
PDF_NAME = "tides"
IMAGE_URL = "https://example.org/tide.png"
STOP = "\n\nEND"


class Tide(pydantic.BaseModel):
    """The form of a structured answer."""

    place: str
    metres: float


FORMED = Tide(place="Zürich", metres=4.5)


class Call(NamedTuple):
    id: str
    name: str
    arguments: dict[str, Any]


def schema(name: str) -> dict[str, Any]:
    """The arguments of the tools, in the subset that strict tools have everywhere."""
    return {
        "type": "object",
        "properties": {name: {"type": "string", "enum": ["Zürich", "Oslo"]}},
        "required": [name],
        "additionalProperties": False,
    }


TOOLS = {"tide": schema("city"), "now": schema("place")}
CALLS = (Call("call_1a", "tide", {"city": "Zürich"}), Call("call_2b", "now", {"place": "Oslo"}))
RESULTS = {"tide": '{"metres": 0}', "now": "12:30 \\ noon"}


class Tokens(NamedTuple):
    """Classes as receipts have them; None is what a wire does not tell apart."""

    input: int = 7
    cached: int = 4
    output: int = 5
    reasoning: int | None = None
    written: int = 0  # to a cache


class Said(NamedTuple):
    """One answer of a model, or what a client makes of it."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    thought: str = ""
    signature: str = ""
    finish: str = "stop"
    tokens: Tokens = Tokens()
    choices: int = 1


# What a model answers in each case, turn by turn.
ANSWERS = {
    "text": (Said(TEXT),),
    "tools": (Said(calls=CALLS, finish="tool_calls"), Said(TEXT)),
    "named": (Said(calls=CALLS[:1], finish="tool_calls"),),
    "structured": (Said(FORMED.model_dump_json()), Said(TEXT)),
    "image": (Said(TEXT),),
    "document": (Said(TEXT),),
    "reasoning": (
        Said("", CALLS[:1], THOUGHT, SIGNATURE, "tool_calls", Tokens(reasoning=3)),
        Said(TEXT),
    ),
    "cut": (Said(TEXT, finish="length"),),
    "stop": (Said(TEXT),),
    "cache": (Said(TEXT, tokens=Tokens(written=6)),),
    "image_url": (Said(TEXT),),
    "any_json": (Said(FORMED.model_dump_json()),),
    "choices": (Said(TEXT, choices=2),),
}
CASES = tuple(ANSWERS)


@dataclass
class Heard:
    """A request as a provider has understood it."""

    model: str | None = None
    stream: bool = False
    ceiling_tokens: int | None = None
    instructions: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)
    documents: list[tuple[str, str]] = field(default_factory=list)
    tools: dict[str, Any] = field(default_factory=dict)
    must_call: bool = False
    named: str | None = None
    calls: list[Call] = field(default_factory=list)
    results: list[tuple[str, str]] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    form: Any = None
    any_json: bool = False
    thinks: bool = False
    stops: list[str] = field(default_factory=list)
    choices: int = 1
    cache_marks: int = 0


def pieces(text: str, size: int = 7) -> list[str]:
    """A text as a stream brings it."""
    return [text[at : at + size] for at in range(0, len(text), size)]
