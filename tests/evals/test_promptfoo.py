"""Whole configurations of promptfoo's."""

from pathlib import Path

from tests.evals.written import loaded, suite, told


def test_a_configuration_is_a_suite(tmp_path: Path) -> None:
    text = """
    description: Greets people
    prompts: ["Say {{ n }}"]
    providers:
    - id: openai:gpt-x
      config: {tools: [{type: function, function: {name: f, parameters: {type: object}}}]}
    evaluateOptions: {repeat: 7, maxConcurrency: 2}
    tests:
    - vars: {n: hi}
      assert: [{type: is-valid-openai-tools-call}]
    """
    read = suite(tmp_path, text, "greet.yaml")
    assert (read.name, read.description, read.repeats) == ("greet", "Greets people", 7)
    assert bytes(read.cases[0].checks[0].options) == b'{"schemas":{"f":{"type":"object"}}}'


def test_providers_with_other_tools_leave_the_check_unmade(tmp_path: Path) -> None:
    text = """
    providers: [{id: a, config: {tools: [{name: f}]}}, {id: b, config: {}}]
    tests: [{vars: {n: hi}, assert: [{type: is-valid-openai-tools-call}]}]
    """
    assert suite(tmp_path, text).cases[0].checks[0].grader == "unsupported"


def test_prompts_alone_are_asked_once(tmp_path: Path) -> None:
    text = "prompts: [hello]\ndefaultTest: {assert: [{type: is-json}]}\n"
    [case] = suite(tmp_path, text).cases
    assert [check.grader for check in case.checks] == ["json_schema"]


def test_a_case_that_checks_nothing_is_no_pass(tmp_path: Path) -> None:
    [case] = suite(tmp_path, "tests: [{vars: {a: b}}]").cases
    assert case.checks == ()


def test_a_pattern_that_is_not_linear_is_an_error_to_be(tmp_path: Path) -> None:
    text = """
    tests:
    - vars: {a: b}
      assert:
      - {type: regex, value: '(?=x)y'}
      - {type: assert-set, assert: [{type: regex, value: '(a)\\1'}]}
    """
    [case] = suite(tmp_path, text).cases
    assert [check.grader for check in case.checks] == ["unsupported", "group"]
    assert b'"grader":"unsupported"' in bytes(case.checks[1].options)


def test_defaults_and_scenarios_lie_in_files_too(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text("assert: [{type: is-json}]\n")
    (tmp_path / "s.yaml").write_text("- config: [{vars: {a: b}}]\n  tests: [{vars: {c: d}}]\n")
    text = "defaultTest: file://default.yaml\nscenarios: [file://s.yaml]\n"
    [case] = suite(tmp_path, text).cases
    assert sorted(case.variables) == ["a", "c"]
    assert len(case.checks) == 1


def test_assertions_are_referred_to_by_name(tmp_path: Path) -> None:
    text = """
    assertionTemplates:
      kind: {type: icontains, value: "{{ word }}"}
    tests:
    - vars: {word: please}
      assert: [{$ref: "#/assertionTemplates/kind"}]
    """
    [case] = suite(tmp_path, text).cases
    assert bytes(case.checks[0].options) == b'{"any":["please"],"ignore_case":true}'
    assert "there is no assertion" in told(tmp_path, text.replace("kind: {", "cruel: {"))[0]


def test_a_threshold_of_nothing_is_none(tmp_path: Path) -> None:
    text = """
    tests:
    - threshold: 0
      assert: [{type: assert-set, threshold: 0, assert: [{type: is-json}]}]
    """
    [case] = suite(tmp_path, text).cases
    assert case.threshold is None
    assert b"threshold" not in bytes(case.checks[0].options)


def test_what_is_of_running_is_left_out_with_a_warning(tmp_path: Path) -> None:
    found = loaded(tmp_path, "tests: [{assert: [{type: is-json}]}]\nredteam: {}\n")
    assert found.problems == ()
    assert [warning.path for warning in found.warnings] == [("redteam",)]


def test_a_configuration_that_is_wrong_says_where(tmp_path: Path) -> None:
    text = """\
    scenarios:
    - tests: [{vars: {a: b}}]
    - config: [{vars: {a: b}}]
      test: []
    evaluateOptions: {repeat: 0}
    tests: 3
    """
    assert [line.split(": ")[0:2] for line in told(tmp_path, text)] == [
        ["2:3", "scenarios.0"],
        ["4:3", "scenarios.1.test"],
        ["5:27", "evaluateOptions.repeat"],
        ["6:8", "tests"],
    ]
