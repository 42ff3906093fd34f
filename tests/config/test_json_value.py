import msgspec
import pytest

from tidegate.config.json_value import MAX_JSON_BYTES, json_of, value_text
from tidegate.config.tree import Node, read_tree


def node(text: str) -> Node:
    root, problems = read_tree(text.encode(), "plan")
    assert root is not None and not problems
    return root


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{type: object, required: [a, b]}", {"type": "object", "required": ["a", "b"]}),
        ("{minimum: -1.5, maxItems: 3}", {"minimum": -1.5, "maxItems": 3}),
        (
            "{a: true, b: No, c: null, d: '1', e: '${X}'}",
            {"a": True, "b": False, "c": None, "d": "1", "e": "${X}"},
        ),
        ("enum: [yes, 'yes', off]", {"enum": [True, "yes", False]}),
        ('"{\\"type\\": \\"null\\"}"', {"type": "null"}),
        ('|\n  {"pattern": "^a{2}$"}\n', {"pattern": "^a{2}$"}),
    ],
)
def test_yaml_is_read_as_the_json_that_it_means(text, value):
    assert msgspec.json.decode(json_of(node(text))) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("'{]'", "this text is not JSON"),
        ("{a: 0x1F}", "write the number 0x1F as JSON does"),
        (f"{{a: '{'x' * MAX_JSON_BYTES}'}}", "longer than"),
    ],
)
def test_what_is_no_json_is_said(text, why):
    with pytest.raises(ValueError, match=why):
        json_of(node(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"),
        ("'{\"a\": 1}'", '{"a": 1}'),
        ("1.5", 1.5),
        ("yes", True),
        ("~", None),
        ("[a, 1]", ["a", 1]),
    ],
)
def test_any_value_is_taken_as_it_is_written(text, value):
    assert msgspec.json.decode(value_text(node(text))) == value
