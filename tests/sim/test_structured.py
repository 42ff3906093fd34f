import pytest

from tidegate.sim.structured import SchemaProblem, instance

OBJECT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 6},
        "kind": {"enum": ["b", "a"]},
        "count": {"type": "integer", "minimum": 3},
        "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
        "note": {"type": "string"},
        "when": {"type": "string", "format": "date"},
        "maybe": {"anyOf": [{"type": "null"}, {"type": "string"}]},
        "point": {"$ref": "#/$defs/point"},
    },
    "required": ["name", "kind", "count", "share", "tags", "when", "maybe", "point"],
    "$defs": {"point": {"type": "object", "properties": {"x": {"const": 4}}, "required": ["x"]}},
}


def test_an_object_holds_what_is_required_and_no_more():
    assert instance(OBJECT) == {
        "name": "tideee",
        "kind": "b",
        "count": 3,
        "share": 0.5,
        "tags": [False, False],
        "when": "2026-01-01",
        "maybe": None,
        "point": {"x": 4},
    }


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (True, {}),
        ({"type": ["string", "null"]}, "tide"),
        ({"type": "string", "maxLength": 2}, "ti"),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"allOf": [OBJECT["$defs"]["point"], {"type": "object"}]}, {"x": 4}),
    ],
)
def test_small_schemas(schema, value):
    assert instance(schema) == value


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
        ({"$ref": "https://example.org/x"}, "leaves the schema"),
        ({"$ref": "#"}, "more than 12 levels"),
        (7, "must be an object"),
    ],
)
def test_a_schema_that_cannot_be_met_is_named(schema, says):
    with pytest.raises(SchemaProblem, match=says):
        instance(schema)
