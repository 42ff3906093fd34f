"""Which files a configuration is made of, and which are not read."""

from pathlib import Path

import pytest
from tests.evals.written import loaded, suite, told


def test_tests_come_from_files_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t/a.yaml").write_text("- {vars: {n: a}, assert: [{type: is-json}]}\n")
    (tmp_path / "t/b.yaml").write_text("vars: {n: b}\nassert: [{type: is-json}]\n")
    (tmp_path / "c.jsonl").write_text('{"vars": {"n": "c"}, "assert": [{"type": "is-json"}]}\n')
    (tmp_path / "d.json").write_text('[{"vars": {"n": "d"}, "assert": [{"type": "is-json"}]}]')
    (tmp_path / "e.csv").write_text("n,__expected\ne,is-json\n")
    text = "tests: [file://t/*.yaml, c.jsonl, file://d.json, e.csv, {vars: {n: f}}]"
    cases = suite(tmp_path, text).cases
    assert b"".join(bytes(case.variables["n"]) for case in cases) == b'"a""b""c""d""e""f"'


def test_what_is_wrong_in_another_file_is_told_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- vars: {n: a}\n  assert:\n  - type: contain\n")
    [problem] = loaded(tmp_path, "tests: [file://a.yaml]").problems
    assert Path(problem.file).name == "a.yaml"
    assert (problem.mark.line, problem.path) == (3, ("0", "assert", "0"))


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("file://../x.yaml", "outside the suite's folder"),
        ("file:///etc/passwd", "outside the suite's folder"),
        ("file://../*.yaml", "outside the suite's folder"),
        ("file://none-*.yaml", "finds 0 files"),
        ("none.yaml", "there is no file none.yaml"),
        ("https://example.com/t.csv", "nothing is fetched"),
        ("huggingface://datasets/x", "nothing is fetched"),
        ("file://make.py:tests", "is code, which is not executed"),
        ("[{path: 'file://make.py'}]", "made by code are not executed"),
        ("[[]]", "a test is a mapping"),
    ],
)
def test_tests_that_are_elsewhere_or_code_are_told(
    tmp_path: Path, tests: str, message: str
) -> None:
    assert message in told(tmp_path, f"tests: {tests}")[0]


def test_values_of_files_are_read_in_the_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("hello {{ n }}")
    (tmp_path / "s.json").write_text('{"type": "object"}')
    text = """
    tests:
    - vars: {n: x, t: file://v.txt}
      assert: [{type: is-json, value: file://s.json}]
    """
    [case] = suite(tmp_path, text).cases
    assert bytes(case.variables["t"]) == b'"hello x"'
    assert bytes(case.checks[0].options) == b'{"schema":{"type":"object"}}'
    (tmp_path / "secret.txt").write_text("s3cret")
    lines = told(tmp_path, "tests: [{vars: {t: file://../secret.txt}}]", "deep/suite.yaml")
    assert "outside" in lines[0]
    assert "s3cret" not in lines[0]


def test_prompts_are_texts_files_or_code_that_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("one\n---\ntwo\n")
    text = """
    prompts: ["Say {{ n }}", p.txt, "prompts.py:make", {id: x, raw: "Hi {{ n }}", label: short}]
    tests: [{vars: {n: a}, assert: [{type: is-json}]}]
    """
    found = suite(tmp_path, text).templates
    assert [(it.name, it.source) for it in found] == [
        ("Say {{ n }}", "Say {{ n }}"),
        ("p-1", "one"),
        ("p-2", "two"),
        ("prompts.py:make", None),
        ("short", "Hi {{ n }}"),
    ]
