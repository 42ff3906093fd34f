"""Callers' values inside a template."""

from collections.abc import Sequence

from tidegate.core.prompt import Input
from tidegate.prompts.values import Inert, InertArray, inert, json_text, plain, wrong_kind


def test_objects_and_arrays_are_wrapped_and_the_rest_is_itself() -> None:
    assert inert("a") == "a"
    assert isinstance(inert({"a": [1]})["a"], InertArray)
    assert isinstance(inert([1]), Sequence)
    assert not isinstance(inert({}), Sequence)


def test_nothing_public_is_reached_but_by_items() -> None:
    for value in (inert({"a": 1}), inert([1])):
        assert [name for name in dir(value) if not name.startswith("_")] == []


def test_it_is_plain_data_again() -> None:
    data = {"a": [1, {"b": None}]}
    assert plain(inert(data)) == data
    assert plain([inert(data), {1: inert([2])}]) == [data, {"1": [2]}]
    assert json_text([inert(data)]) == '[{"a":[1,{"b":null}]}]'
    assert str(inert(data)) == '{"a":[1,{"b":null}]}'


def test_it_compares_and_contains_as_data_does() -> None:
    value = inert([1, [2]])
    assert value == inert([1, [2]]) != inert([1])
    assert inert([2]) in value
    assert [plain(it) for it in value] == [1, [2]]
    assert len(value) == 2
    assert isinstance(value[1], Inert)


def test_a_value_that_is_not_of_its_input_s_type() -> None:
    assert wrong_kind(Input("a", "number"), 1) is None
    assert (
        wrong_kind(Input("a", "number"), True) == "is of the type boolean, not of the type number"
    )
    assert wrong_kind(Input("a", "integer"), 1.5) is not None
    assert wrong_kind(Input("a", "object"), None) == "is null, not of the type object"
