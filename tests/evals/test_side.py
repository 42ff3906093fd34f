"""What is asked of each side."""

import msgspec
import pytest
from tests.evals.asked import case, prompt

from tidegate.core.grading import Case
from tidegate.core.prompt import Input
from tidegate.evals.side import Side, Writer, writers
from tidegate.prompts.rendered import RenderRefused


def test_a_prompt_is_rendered_here_and_the_routes_own_is_not_added() -> None:
    fields = {"parameters": (("temperature", "0.2"), ("seed", "1")), "tools": "[]"}
    side = Side("small", prompt("v1", **fields), (("seed", "7"),))
    assert msgspec.json.decode(Writer(side).body(case("why?"))) == {
        "model": "small",
        "prompt": {"rendered": "support@v1"},
        "temperature": 0.2,
        "seed": 7,
        "tools": [],
        "messages": [
            {"role": "system", "content": "You know much."},
            {"role": "user", "content": "why?"},
        ],
    }


def test_without_a_prompt_the_route_is_asked_as_it_stands() -> None:
    said = msgspec.json.decode(Writer(Side("small")).body(case("why?")))
    assert said == {"model": "small", "prompt": {"variables": {"question": "why?"}}}
    turns = Case("t", turns=(("user", "hi"),))
    said = msgspec.json.decode(Writer(Side("small")).body(turns))
    assert said == {"model": "small", "messages": [{"role": "user", "content": "hi"}]}


def test_a_variable_of_the_other_version_only_is_left_out() -> None:
    old = prompt("v1", "Plain.", inputs=(Input("question"),))
    both = writers({"baseline": Side("small", old), "candidate": Side("small", prompt("v2"))})
    fact = msgspec.Raw(b'"all"')
    asked = case("why?", variables={"question": msgspec.Raw(b'"why?"'), "fact": fact})
    systems = [msgspec.json.decode(it.body(asked))["messages"][0] for it in both.values()]
    assert [it["content"] for it in systems] == ["Plain.", "You know all."]
    with pytest.raises(RenderRefused, match="fact"):
        Writer(Side("small", old)).body(asked)


def test_what_decides_the_question_decides_the_digest() -> None:
    one = Side("small", prompt("v1"), (("seed", "7"), ("top_p", "1")))
    turned = Side("small", prompt("v1"), (("top_p", "1"), ("seed", "7")))
    others = [Side("large", prompt("v1")), Side("small", prompt("v2")), Side("small")]
    assert one.digest() == turned.digest()
    assert len({it.digest() for it in (one, *others)}) == 4
    assert str(one) == "support@v1 at small with seed=7, top_p=1"
    assert str(Side("small")) == "small"
