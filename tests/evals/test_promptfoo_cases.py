"""What a test takes from defaults and scenarios, and what becomes of what is not carried."""

from pathlib import Path

import msgspec
from tests.evals.written import loaded, suite, told


def test_defaults_come_first_and_give_way(tmp_path: Path) -> None:
    text = """
    defaultTest:
      vars: {a: 1, b: 1}
      metadata: {kind: usual}
      threshold: 0.5
      assert: [{type: is-json}]
    tests:
    - vars: {b: 2}
      metadata: {level: 3}
      assert: [{type: contains, value: "{{ b }}"}]
    - options: {disableDefaultAsserts: true}
      threshold: 1
      assert: [{type: contains, value: x}]
    """
    one, two = suite(tmp_path, text).cases
    assert {name: bytes(it) for name, it in one.variables.items()} == {"a": b"1", "b": b"2"}
    assert [check.grader for check in one.checks] == ["json_schema", "contains"]
    assert bytes(one.checks[1].options) == b'{"any":["2"]}'
    assert one.strata == {"kind": "usual", "level": "3"}
    assert (one.threshold, two.threshold) == (0.5, 1.0)
    assert [check.grader for check in two.checks] == ["contains"]


def test_scenarios_run_every_test_with_every_set(tmp_path: Path) -> None:
    text = """
    defaultTest: {assert: [{type: is-json}]}
    scenarios:
    - config:
      - vars: {language: French, hello: Bonjour}
      - vars: {language: German, hello: Hallo}
        assert: [{type: starts-with, value: "{{ hello }}"}]
      tests:
      - vars: {input: Hello}
        assert: [{type: contains, value: "{{ hello }}"}]
      - vars: {input: Bye, language: Dutch}
    """
    cases = suite(tmp_path, text).cases
    told = [
        tuple(msgspec.json.decode(case.variables[name]) for name in ("language", "input"))
        for case in cases
    ]
    assert told == [("French", "Hello"), ("Dutch", "Bye"), ("German", "Hello"), ("Dutch", "Bye")]
    assert [len(case.checks) for case in cases] == [2, 1, 3, 2]
    assert [check.grader for check in cases[2].checks] == ["json_schema", "contains", "contains"]


def test_lists_of_texts_multiply_unless_they_shall_not(tmp_path: Path) -> None:
    text = """
    tests:
    - vars: {a: [x, y], b: [p, q]}
      assert: [{type: contains, value: "{{ a }}{{ b }}"}]
    - vars: {a: [x, y]}
      options: {disableVarExpansion: true}
      assert: [{type: is-json}]
    """
    cases = suite(tmp_path, text).cases
    assert [case.id for case in cases] == ["t1", "t1-2", "t1-3", "t1-4", "t2"]
    assert [bytes(case.checks[0].options) for case in cases[:4]] == [
        b'{"any":["xp"]}',
        b'{"any":["yp"]}',
        b'{"any":["xq"]}',
        b'{"any":["yq"]}',
    ]
    assert bytes(cases[4].variables["a"]) == b'["x","y"]'


def test_products_beyond_the_bound_are_told_and_not_made(tmp_path: Path) -> None:
    many = ", ".join(f"v{i}" for i in range(400))
    text = f"tests: [{{vars: {{a: [{many}], b: [{many}], c: [{many}]}}}}]"
    assert "at most 100000 cases" in told(tmp_path, text)[0]


def test_what_changes_the_question_or_the_answer_is_an_error_to_be(tmp_path: Path) -> None:
    text = """
    defaultTest: {options: {transform: "file://t.py"}}
    tests:
    - {vars: {a: 1}, assert: [{type: is-json}]}
    - {vars: {a: 1}, providerOutput: "x", assert: [{type: is-json}]}
    - {vars: {a: 1}, assert: [{type: is-json}], assertScoringFunction: file://s.js}
    """
    for case in suite(tmp_path, text).cases:
        assert case.checks[0].grader == "unsupported"
        assert case.checks[-1].grader == "json_schema"


def test_context_is_the_variable_of_that_name(tmp_path: Path) -> None:
    text = """
    tests:
    - {vars: {context: It rains., q: why}, assert: [{type: context-faithfulness, threshold: 0.8}]}
    """
    [case] = suite(tmp_path, text).cases
    assert case.context == ("It rains.",)
    assert bytes(case.checks[0].options) == b'{"preset":"faithfulness","threshold":0.8}'


def test_which_models_are_asked_is_left_out_with_a_warning(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "tests: [{vars: {a: 1}, provider: openai:x, assert: [{type: is-json}]}]"
    )
    assert found.problems == ()
    assert [warning.path for warning in found.warnings] == [("tests", "0", "provider")]


def test_a_test_that_is_wrong_names_its_field(tmp_path: Path) -> None:
    text = """\
    tests:
    - vars: [a]
    - vars: {a: x}
      assert: {type: is-json}
    - vars: {a: x}
      assert:
      - is-json
      - {value: x}
      - {type: contain, value: x}
      - {type: contains}
      - {type: contains, value: "{{ b }}"}
      - {type: cost}
      - {type: is-json, weight: heavy}
    """
    assert [line.split("; did")[0] for line in told(tmp_path, text)] == [
        "2:9: tests.0.vars: `vars` is a mapping of variables",
        "4:11: tests.1.assert: `assert` is a list",
        "7:5: tests.2.assert.0: an assertion is a mapping with a `type`",
        "8:5: tests.2.assert.1: it needs a `type`",
        '9:5: tests.2.assert.2: there is no assertion of the type "contain"',
        "10:5: tests.2.assert.3: it needs a `value`",
        "11:5: tests.2.assert.4: the template cannot be filled in: undefined value: `b` is"
        " undefined",
        "12:5: tests.2.assert.5: it needs a `threshold`",
        "13:5: tests.2.assert.6: its `weight` must be a number",
    ]
