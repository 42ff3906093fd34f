"""A part of the plan file that is JSON of somebody else's making, such as a JSON Schema."""

from typing import Any

import msgspec

from tidegate.config.tree import ListNode, MapNode, Node, ScalarNode

MAX_JSON_BYTES = 64 * 1024
_TRUTHS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}


def json_of(node: Node) -> str:
    """The JSON text of what stands there: a mapping written out, or text that is JSON already.

    ValueError says what is wrong. Variables are not filled in: `${` may be part of a pattern.
    """
    if isinstance(node, ScalarNode) and node.kind == "text":
        try:
            value = msgspec.json.decode(node.text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"this text is not JSON: {error}") from None
        return _bounded(value)
    return value_text(node)


def value_text(node: Node) -> str:
    """The JSON text of any value as YAML writes it; text is a JSON string. ValueError as above."""
    return _bounded(_value(node))


def _bounded(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    if len(text) > MAX_JSON_BYTES:
        raise ValueError(f"it is longer than {MAX_JSON_BYTES} bytes as JSON")
    return text


def _value(node: Node) -> Any:
    if isinstance(node, MapNode):
        return {name: _value(child) for name, (_, child) in node.pairs.items()}
    if isinstance(node, ListNode):
        return [_value(item) for item in node.items]
    if node.kind == "number":
        try:
            return msgspec.json.decode(node.text, type=int | float)
        except msgspec.DecodeError:
            raise ValueError(f"write the number {node.text} as JSON does") from None
    if node.kind == "truth":
        return _TRUTHS[node.text.lower()]
    return None if node.kind == "nothing" else node.text
