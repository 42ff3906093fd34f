"""A prompt as the file that says it. Read again it is the same prompt."""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tidegate.core.prompt import Input, Output, Prompt

# What YAML does not take as it is, though JSON does.
_ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


def file_text(prompt: Prompt) -> str:
    """The version's file: front matter and messages."""
    front = list(_front(prompt))
    head = ["---", *front, "---"] if front else []
    if len(prompt.turns) == 1 and prompt.turns[0].role == "system":
        return "\n".join([*head, prompt.turns[0].source, ""])
    body: list[str] = []
    for turn in prompt.turns:
        body += [f"{{# role: {turn.role} #}}", turn.source]
    return "\n".join([*head, *body, ""])


def _front(prompt: Prompt) -> Iterator[str]:
    if prompt.inputs:
        yield "inputs:"
        yield from (f"  {it.name}: {_input(it)}" for it in prompt.inputs)
    if prompt.parameters:
        yield "parameters:"
        yield from (f"  {_text(name)}: {flow(_decode(it))}" for name, it in prompt.parameters)
    if prompt.tools is not None:
        tools = _decode(prompt.tools)
        yield "tools:" if tools else "tools: []"
        yield from (f"  - {flow(it)}" for it in tools)
    if prompt.pins:
        yield "models:"
        for pin in prompt.pins:
            snapshot = "" if pin.snapshot is None else f", snapshot: {_text(pin.snapshot)}"
            yield f"  - {{model: {_text(pin.model)}{snapshot}}}"
    if prompt.output != Output():
        yield "output:"
        yield from _output(prompt.output)
    if prompt.owner is not None:
        yield f"owner: {_text(prompt.owner)}"
    if prompt.suites:
        yield f"suites: [{', '.join(map(_text, prompt.suites))}]"


def _input(it: Input) -> str:
    default = None if it.default is None else flow(_decode(it.default))
    if default is None and it.description is None:
        return it.kind
    parts = [f"type: {it.kind}"]
    if default is not None:
        parts.append(f"default: {default}")
    if it.description is not None:
        parts.append(f"description: {_text(it.description)}")
    return f"{{{', '.join(parts)}}}"


def _output(output: Output) -> Iterator[str]:
    keys = {"max_chars": "max_length"}
    plain = Output()
    for name in Output.__struct_fields__:
        value = getattr(output, name)
        if value == getattr(plain, name):
            continue
        written = flow(_decode(value)) if name == "json_schema" else _value(value)
        yield f"  {keys.get(name, name)}: {written}"


def _value(value: Any) -> str:
    return _text(value) if isinstance(value, str) else flow(value)


def _text(text: str) -> str:
    # Of these values a `${` would be a variable of the environment.
    return flow(text.replace("${", "$${"))


def flow(value: Any) -> str:
    """JSON that YAML reads as the same value."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{flow(name)}: {flow(it)}' for name, it in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, float) and math.isfinite(value):
        return _number(value)
    return _ESCAPED.sub(lambda it: f"\\u{ord(it[0]):04x}", _encode(value).decode())


def _number(value: float) -> str:
    mantissa, exponent, power = repr(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    if exponent and power[0] not in "+-":
        power = f"+{power}"
    return mantissa + exponent + power
