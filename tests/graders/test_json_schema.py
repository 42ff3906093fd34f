"""JSON that fits a schema."""

from tests.graders.graded import grade

N = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


def test_what_breaks_the_schema_is_told_by_place_and_keyword_and_not_by_value() -> None:
    found = grade("json_schema", {"schema": N}, '{"n": "secret"}')
    assert found.verdict == "fail"
    assert "/n" in found.why
    assert "secret" not in found.why


def test_the_whole_answer_has_to_be_json_or_some_of_it() -> None:
    answer = 'Here: {"m": 0} and {"n": 1} .'
    assert grade("json_schema", {"schema": N}, answer).verdict == "fail"
    assert grade("json_schema", {"schema": N, "where": "anywhere"}, answer).verdict == "pass"
    assert grade("json_schema", {"where": "anywhere"}, "no JSON {here}").verdict == "fail"
    assert grade("json_schema", {}, "[1]").verdict == "pass"


def test_a_schema_that_costs_too_much_for_an_answer_is_an_error() -> None:
    schema = {"allOf": [{"items": {"type": "integer"}}] * 500}
    assert grade("json_schema", {"schema": schema}, f"[{'1,' * 20_000}1]").verdict == "error"
