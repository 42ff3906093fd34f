import pytest

from tidegate.text.schema_cost import MAX_RECURSIVE_SCHEMAS, TooCostly, check_cost

NODE = {"$ref": "#/$defs/node"}
TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "left": {"anyOf": [NODE, {"type": "null"}]},
                "right": {"anyOf": [NODE, {"type": "null"}]},
            },
        }
    },
    **NODE,
}
ANY_JSON = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"$ref": "#"}},
        {"type": "object", "additionalProperties": {"$ref": "#"}},
    ]
}


def doubling(levels: int) -> dict[str, object]:
    """Each definition is asked for twice by the one before it."""
    last = {f"a{levels}": {"type": "string"}}
    twice = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": twice | last, "$ref": "#/$defs/a0"}


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"type": "object", "properties": {f"p{n}": {"enum": ["a", "b"]} for n in range(500)}},
        {"items": [{"type": "integer"}, {"type": "string"}], "additionalItems": False},
        {"prefixItems": [{"$ref": "#/properties/a~1b"}], "properties": {"a/b": {"type": "null"}}},
        TREE,
        ANY_JSON,
        doubling(8),
    ],
)
def test_what_people_write_is_cheap(schema):
    assert check_cost(schema) < 2000


def test_of_properties_only_the_dearest_counts_and_of_alternatives_all():
    one = {"type": "object", "properties": {"a": {}, "b": {"anyOf": [{}, {}]}}}
    assert check_cost(one) == 1 + 3
    assert check_cost({"allOf": [one, one]}) == 1 + 2 * (1 + 3)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (doubling(18), "alternatives and references multiply"),
        ({"anyOf": [{"properties": {"a": {"$ref": "#"}}}] * 2}, "multiply"),
        ({"anyOf": [{"items": {"$ref": "#"}}, {"contains": {"$ref": "#"}}]}, "multiply"),
        ({"patternProperties": {"a": {"$ref": "#"}, ".": {"$ref": "#"}}}, "multiply"),
        ({"$ref": "#"}, "without going into the value"),
        ({"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, "without going"),
        ({"$ref": "https://example.com/schema"}, "must name a place in this schema"),
        ({"$ref": "#/$defs/nobody"}, "there is no #/\\$defs/nobody"),
        ({"items": {"$dynamicRef": "#node"}}, "`\\$dynamicRef` is not supported"),
    ],
)
def test_what_could_explode_is_refused(schema, why):
    with pytest.raises(TooCostly, match=why):
        check_cost(schema)


def test_a_recursive_schema_has_a_bounded_number_of_parts():
    many = {f"p{n}": {"$ref": "#"} for n in range(MAX_RECURSIVE_SCHEMAS)}
    with pytest.raises(TooCostly, match="recursive"):
        check_cost({"properties": many})


def test_nesting_without_end_is_refused():
    schema: dict[str, object] = {}
    for _ in range(3000):
        schema = {"not": schema}
    with pytest.raises(TooCostly, match="nested too deep"):
        check_cost(schema)
