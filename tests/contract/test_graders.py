"""Every grader: never raises for what a model wrote, no answer is an error, bad options are told
before a run, and the same answer gets the same grade.

A grader is added to EXAMPLES with options, a case, an answer that passes and one that fails.
"""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from tests.graders.graded import Judge, case, grade

from tidegate.core import plugs
from tidegate.core.grading import Answered, Case, Grade


class Example(Struct):
    options: dict[str, Any]
    passes: Answered | str
    fails: Answered | str | None
    of: Case = Case("c")
    judge: str | None = None
    judge_fails: str | None = None


CONTEXT = ("The Eiffel Tower is 330 metres tall and stands in Paris.",)
SCHEMA = {"type": "object", "required": ["n"]}
EXAMPLES: Mapping[str, list[Example]] = {
    "contains": [
        Example({"any": ["red", "Blue"]}, "it is Blue", "blue"),
        Example({"all": ["a", "B"], "ignore_case": True}, "xAb", "a"),
        Example({"at": "start"}, "yes, it is", "oh yes", case(expected="yes")),
        Example({"normalise": True, "either_way": True}, "Cat.", "dog", case(expected="the cat")),
    ],
    "cost": [
        Example(
            {"most_usd": 0.001},
            Answered("a", cost_nanousd=1_000_000),
            Answered("a", cost_nanousd=1_000_001),
        )
    ],
    "exact": [
        Example({}, "42", "42 ", case(expected="42")),
        Example({"json": True}, '{"a": 1, "b": [2.0]}', "{}", case(expected={"b": [2], "a": 1})),
        Example({"value": ["yes", "no"], "ignore_case": True, "trim": True}, " YES ", "maybe"),
    ],
    "finish_reason": [
        Example(
            {"any": ["stop"]},
            Answered("a", finish_reason="end_turn"),
            Answered("a", finish_reason="length"),
        )
    ],
    "group": [
        Example({"checks": [{"grader": "contains", "options": {"any": ["a"]}}]}, "a", "b"),
        Example(
            {
                "threshold": 0.5,
                "checks": [
                    {"grader": "contains", "options": {"any": ["a"]}},
                    {"grader": "contains", "options": {"any": ["b"]}, "negated": True},
                ],
            },
            "c",
            "b",
        ),
    ],
    "groundedness": [
        Example(
            {},
            "The tower is 330 metres tall.",
            "The tower is 331 metres tall.",
            case(context=CONTEXT),
        )
    ],
    "json_schema": [
        Example({"schema": SCHEMA}, '{"n": 1}', '{"m": 1}'),
        Example({"schema": SCHEMA, "where": "anywhere"}, 'So: {"m": 1} or {"n": "{"}.', "none"),
    ],
    "judge_pairwise": [
        Example(
            {"against": "the other"},
            "ours",
            None,
            judge='{"reason": "r", "better": "tie"}',
        )
    ],
    "judge_rubric": [
        Example(
            {"rubric": "is kind"},
            "hello",
            "no",
            judge='{"reason": "r", "score": 0.9}',
            judge_fails='{"reason": "r", "score": 0.2}',
        ),
        Example(
            {"rubric": "is it funny?", "choices": {"yes": 1.0, "no": 0.0}},
            "hello",
            "no",
            judge='{"reason": "r", "choice": "yes"}',
            judge_fails='{"reason": "r", "choice": "no"}',
        ),
    ],
    "language": [
        Example(
            {"any": ["de"]},
            "Das ist nicht der Weg, den wir gehen wollen.",
            "This is not the way that we want to go.",
        )
    ],
    "latency": [
        Example({"most_s": 2.0}, Answered("a", total_s=2.0), Answered("a", total_s=2.1)),
        Example(
            {"most_s": 2, "most_ttft_s": 0.5},
            Answered("a", total_s=1.0, ttft_s=0.4),
            Answered("a", total_s=1.0, ttft_s=0.6),
        ),
    ],
    "length": [
        Example({"most_words": 3}, "a b c", "a b c d"),
        Example({"least_chars": 3, "most_chars": 4}, "abc", "ab"),
    ],
    "markup": [
        Example({"elements": ["a.b"]}, "<a><b/></a>", "<a><c/></a>"),
        Example({"kind": "html"}, "<ul><li>a<li>b</ul>", "<div>open"),
        Example({"where": "anywhere"}, "So: <a>x</a> it is", "a < b and b > c"),
    ],
    "numeric": [
        Example({}, "So the answer is $1,234.", "1,235", case(expected="work... #### 1234")),
        Example({"value": 10, "relative": 0.1}, "about 9", "about 8.9"),
    ],
    "refusal": [
        Example({}, "I'm sorry, but I can't help with that.", "Of course: boil the water."),
        Example(
            {"least": "full"},
            Answered(None, failure="refused_by_safety"),
            Answered("x", refusal="partial"),
        ),
    ],
    "regex": [Example({"pattern": "^[A-Z]{3}-[0-9]+$"}, "ABC-12", "abc-12")],
    "semantic_similarity": [
        Example({}, "the cat sat", "xyz", case(expected="cats at the"), judge=""),
        Example({"to": ["q", "ab"], "measure": "dot", "threshold": 2}, "ab", "a", judge=""),
        Example({"to": "ab", "measure": "euclidean", "threshold": 1}, "abc", "abcd", judge=""),
    ],
    "similarity": [
        Example({}, "the cat sat", "a dog ran", case(expected="The cat sat.")),
        Example({"measure": "levenshtein", "most_edits": 1}, "cat", "dog", case(expected="cart")),
        Example({"measure": "bleu"}, "a b c d e", "e d c b a", case(expected="a b c d e")),
        Example({"measure": "rouge_recall", "to": ["a b", "c"]}, "c d", "e"),
    ],
    "tokens": [
        Example(
            {"most_tokens": 10},
            Answered("a", output_tokens=10),
            Answered("a", output_tokens=11),
        ),
        Example(
            {"most_tokens": 10, "of": "total"},
            Answered("a", input_tokens=5, output_tokens=5),
            Answered("a", input_tokens=6, output_tokens=5),
        ),
    ],
    "tool_call": [
        Example(
            {"calls": [{"name": "pay", "arguments": {"sum": 3}}]},
            Answered("", tool_calls=(("pay", '{"sum": 3.0, "to": "x"}'),)),
            Answered("", tool_calls=(("pay", '{"sum": 4}'),)),
        ),
        Example(
            {"schemas": {"pay": SCHEMA}},
            Answered("", tool_calls=(("pay", '{"n": 3}'),)),
            Answered("", tool_calls=(("pay", "{}"),)),
        ),
    ],
    "unsupported": [Example({"type": "python", "why": "a script"}, "a", None)],
}
ALL = [(name, example) for name, examples in EXAMPLES.items() for example in examples]
JUDGED = [(name, example) for name, example in ALL if name.startswith("judge_")]
# What is wrong with options, beside an unknown one, which every grader refuses.
WRONG: Mapping[str, list[dict[str, Any]]] = {
    "contains": [{"any": "red"}, {"any": ["a"], "all": ["b"]}, {"any": [""]}],
    "cost": [{}, {"most_usd": -1}, {"most_usd": "1"}],
    "exact": [{"value": 3}, {"value": []}, {"json": True, "trim": True}],
    "finish_reason": [{}, {"any": []}],
    "group": [
        {},
        {"checks": []},
        {"checks": [{"grader": "nothing"}]},
        {"checks": [{"grader": "group", "options": {"checks": []}}]},
        {"checks": [{"grader": "regex", "options": {"pattern": "("}}]},
        {"checks": [{"grader": "exact", "weight": 0}]},
    ],
    "groundedness": [{"threshold": 2}],
    "json_schema": [{"schema": "x"}, {"schema": {"type": "nothing"}}],
    "judge_pairwise": [{"threshold": "high"}],
    "judge_rubric": [{}, {"preset": "beauty"}, {"rubric": "r", "choices": {"a": 1}}],
    "language": [{}, {"any": []}, {"any": ["elvish"]}],
    "latency": [{}, {"most_s": 0}],
    "length": [{}, {"most_words": 1, "least_words": 2}],
    "markup": [{"kind": "sgml"}, {"kind": "html", "elements": ["a"]}],
    "numeric": [{"value": "ten"}, {"absolute": -1}, {"value": 1e301}],
    "refusal": [{"least": "none"}],
    "regex": [{}, {"pattern": "("}, {"pattern": "(?=x)"}, {"pattern": r"(a)\1"}],
    "semantic_similarity": [
        {"measure": "levenshtein"},
        {"to": []},
        {"measure": "euclidean", "threshold": -0.5},
    ],
    "similarity": [{"measure": "cosine"}, {"most_edits": 3}, {"n": 0}],
    "tokens": [{}, {"most_tokens": -1}],
    "tool_call": [{}, {"calls": [""]}, {"schemas": {"a": {"type": "nothing"}}}],
    "unsupported": [{}],
}


def asked(example: Example, *, fails: bool = False) -> Judge | None:
    reply = example.judge_fails if fails and example.judge_fails else example.judge
    return None if reply is None else Judge(reply)


def test_every_grader_has_an_example_and_wrong_options() -> None:
    assert sorted(EXAMPLES) == sorted(WRONG) == plugs.names("graders")


@pytest.mark.parametrize(("name", "example"), ALL, ids=[name for name, _ in ALL])
def test_an_answer_is_graded_as_it_deserves(name: str, example: Example) -> None:
    good = grade(name, example.options, example.passes, example.of, asked(example))
    assert good.verdict == ("error" if name == "unsupported" else "pass"), good.why
    if example.fails is not None:
        ask = asked(example, fails=True)
        assert grade(name, example.options, example.fails, example.of, ask).verdict == "fail"


@pytest.mark.parametrize(("name", "example"), ALL, ids=[name for name, _ in ALL])
def test_no_answer_is_an_error_and_never_a_pass(name: str, example: Example) -> None:
    for nothing in (Answered(None), Answered(None, "unavailable"), Answered("cut", "interrupted")):
        assert grade(name, example.options, nothing, example.of, asked(example)).verdict == "error"


@pytest.mark.parametrize("name", sorted(WRONG))
def test_bad_options_are_told_before_a_run_and_an_error_within_one(name: str) -> None:
    plug = plugs.load("graders", name)
    for options in [*WRONG[name], {**EXAMPLES[name][0].options, "colour": "red"}]:
        said = plug.wrong(options)
        assert said, f"{name} takes {options}"
        assert grade(name, options, "a", ask=Judge("{}")).verdict == "error"
    for example in EXAMPLES[name]:
        assert plug.wrong(example.options) is None


HOSTILE = (
    st.text(st.characters(), max_size=60)
    | st.text("{}[]\"'\\,:;0123456789.eE+-<>`~ \n\t\u200d\u0130\u00df", max_size=60)
    | st.sampled_from(
        ["", "\x00", "\ud800", "1" * 5000, "-" * 400, "9" * 80 + "e9999999", "[" * 300]
    )
    | st.sampled_from(
        ['{"n": 1e400}', '{"n": ' + "9" * 400 + "}", "\u202e" * 9, "1e999", "Infinity"]
    )
)
ANSWERS = st.builds(
    Answered,
    st.none() | HOSTILE,
    failure=st.none() | st.sampled_from(["malformed", "refused_by_safety"]),
    tool_calls=st.lists(st.tuples(HOSTILE, HOSTILE), max_size=3).map(tuple),
    finish_reason=st.none() | HOSTILE,
    refusal=st.none() | HOSTILE,
    input_tokens=st.none() | st.integers(-1, 2**70),
    output_tokens=st.none() | st.integers(-1, 2**70),
    cost_nanousd=st.none() | st.integers(-1, 2**70),
    ttft_s=st.none() | st.floats(),
    total_s=st.none() | st.floats(),
)


@given(st.sampled_from(ALL), ANSWERS, HOSTILE)
def test_nothing_that_a_model_or_a_judge_writes_raises(
    entry: tuple[str, Example], answered: Answered, reply: str
) -> None:
    name, example = entry
    found: list[Grade] = [
        grade(name, example.options, answered, example.of, Judge(reply)) for _ in range(2)
    ]
    assert found[0] == found[1]
    if found[0].verdict == "error":
        assert found[0].why
    else:
        assert isinstance(found[0].score, float)
        assert 0 <= found[0].score <= 1


@pytest.mark.parametrize(("name", "example"), JUDGED, ids=[name for name, _ in JUDGED])
@pytest.mark.parametrize(
    "reply",
    [
        None,
        "",
        "yes",
        "{}",
        '{"reason": "r"}',
        '{"score": 1, "reason": "r"}',
        '{"reason": "r", "score": "1"}',
        '{"reason": "r", "score": 1.5}',
        '{"reason": "r", "score": NaN}',
        '{"reason": "r", "score": 1, "score": 0}',
        '{"reason": "r", "score": 1, "pass": true}',
        '{"reason": "r", "better": "C"}',
        '{"reason": "r", "choice": "perhaps"}',
        '```json\n{"reason": "r", "score": 1}\n```',
        'I think so. {"reason": "r", "better": "tie"}',
    ],
)
def test_a_missing_or_malformed_verdict_is_an_error(
    name: str, example: Example, reply: str | None
) -> None:
    ask = Judge(reply)
    found = grade(name, example.options, "an answer", example.of, ask)
    whole = reply == '{"score": 1, "reason": "r"}' and "choices" not in example.options
    assert found.verdict == ("pass" if whole and name == "judge_rubric" else "error")


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"unsupported"}))
def test_a_megabyte_is_graded_in_bounded_time(name: str) -> None:
    """In seconds, where a grader that is quadratic takes hours."""
    texts = ("{" * 10**6, '"\\' * 500_000, "1, A. " * 166_666, "<!--" * 250_000)
    example = EXAMPLES[name][-1]
    for text in texts:
        began_s = time.process_time()
        answered = Answered(text, tool_calls=(("pay", text[:-1]),), output_tokens=1, input_tokens=1)
        of = case(expected=text[::-1][:60_000], context=(text,), variables={"q": text})
        grade(name, example.options, answered, of, asked(example))
        assert time.process_time() - began_s < 60
