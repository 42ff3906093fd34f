"""The question, and the rest of a request that has to be equal."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.test_cache_key import ASK, RECEIPT, ROUTE

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES
from tidegate.core.cache import RouteCache, SemanticCache
from tidegate.core.receipt import OPENAI_CHAT, Receipt
from tidegate.gateway.cache_key import answer_key, prepare_cache
from tidegate.gateway.canonical import canonical
from tidegate.gateway.question import MOST_CHARS, Question, is_comparable, question_of

ROUTED = replace(ROUTE, cache=RouteCache(None, SemanticCache()))


def asked(body: dict[str, Any], dialect: str = OPENAI_CHAT) -> Question | None:
    found = canonical(msgspec.json.encode(body), dialect, keeps_sampling=False)
    assert found is not None
    return question_of(found, dialect)


def chat(*turns: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(turns), **more}


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (chat(user("a?")), OPENAI_CHAT),
        (chat(user([{"type": "text", "text": "a?"}])), OPENAI_CHAT),
        (chat(user([{"type": "text", "text": "of this"}, {"type": "text", "text": "a?"}])), ""),
        (chat({"role": "system", "content": "s"}, user("b"), user("a?")), ""),
        (chat(user("a?"), system="s", max_tokens=5), ANTHROPIC_MESSAGES),
        ({"model": "m", "input": "a?"}, OPENAI_RESPONSES),
        ({"model": "m", "input": [user("a?")]}, OPENAI_RESPONSES),
        ({"model": "m", "input": [user([{"type": "input_text", "text": "a?"}])]}, OPENAI_RESPONSES),
        ({"model": "m", "input": [user("a?", type="message")]}, OPENAI_RESPONSES),
    ],
)
def test_the_question_is_the_last_text_of_the_last_turn(body: Any, dialect: str) -> None:
    found = asked(body, dialect or OPENAI_CHAT)
    assert found is not None
    assert found.text == "a?"
    assert b"a?" not in found.rest


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (chat(user("a?"), {"role": "assistant", "content": "So"}), OPENAI_CHAT),
        (chat({"role": "tool", "tool_call_id": "t", "content": "a?"}), OPENAI_CHAT),
        (chat(user([{"type": "text", "text": "a?"}, {"type": "image_url"}])), OPENAI_CHAT),
        (chat(user([{"type": "input_audio"}, {"type": "text", "text": "a?"}])), OPENAI_CHAT),
        (chat(user([{"type": "tool_result", "content": "a?"}])), ANTHROPIC_MESSAGES),
        (chat(user([{"type": "text", "text": 5}, {"type": "text"}])), OPENAI_CHAT),
        (chat(user([])), OPENAI_CHAT),
        (chat(user(None)), OPENAI_CHAT),
        (chat("a?"), OPENAI_CHAT),
        (chat(), OPENAI_CHAT),
        ({"model": "m", "messages": "a?x" * 300}, OPENAI_CHAT),
        ({"model": "m", "input": [{"type": "function_call_output", "output": "a?"}]}, "r"),
        ({"model": "m", "input": [user("a?", type="item_reference")]}, "r"),
        ({"model": "m", "previous_response_id": "r"}, "r"),
        ({"model": "m", "prompt": "a?"}, "another"),
    ],
)
def test_anything_but_text_of_a_user_is_not_compared(body: Any, dialect: str) -> None:
    assert asked(body, OPENAI_RESPONSES if dialect == "r" else dialect) is None


@pytest.mark.parametrize(
    "text",
    ["", "  ", "?!", "a\x00b", "a\u200bb", "a\u202eb", "a" * (MOST_CHARS + 1), "\ue000a"],
)
def test_what_an_encoder_or_a_reader_does_not_see_is_not_compared(text: str) -> None:
    assert not is_comparable(text)
    assert is_comparable("a\nb\tc " + "d" * 400)


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3)
JSON = st.recursive(
    SCALARS, lambda it: st.lists(it, max_size=2) | st.dictionaries(st.text(max_size=3), it)
)
WORDS = st.text("abc ?1", min_size=1, max_size=8).filter(lambda it: any(c.isalnum() for c in it))
TURN = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": WORDS})
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": WORDS}), max_size=2)


@st.composite
def requests(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """A request, and the question in it."""
    question = draw(WORDS)
    parts = draw(PARTS)
    content = [*parts, {"type": "text", "text": question}] if parts else question
    body = {
        "messages": [*draw(st.lists(TURN, max_size=2)), user(content)],
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "tools": st.lists(JSON, max_size=2),
                    "response_format": JSON,
                    "temperature": st.sampled_from([0, 0.5]),
                    "mine": JSON,
                },
            )
        ),
    }
    return body, question


def partition(body: dict[str, Any], receipt: Receipt, language: str | None = "en") -> bytes:
    ready = prepare_cache(ROUTED, {})
    assert ready is not None
    found = canonical(msgspec.json.encode(body), OPENAI_CHAT, keeps_sampling=False)
    assert found is not None
    question = question_of(found, OPENAI_CHAT)
    assert question is not None
    return ready.partition(ASK, found, receipt, "", ("v1", language, question.rest))


@given(requests(), WORDS)
def test_another_wording_is_in_the_same_partition(one: Any, other: str) -> None:
    body, question = one
    last = body["messages"][-1]
    content = last["content"]
    said = other if type(content) is str else [*content[:-1], {"type": "text", "text": other}]
    again = {**body, "messages": [*body["messages"][:-1], {**last, "content": said}]}
    found, same = partition(body, RECEIPT), partition(again, RECEIPT)
    assert found == same
    assert (answer_key(found, question) == answer_key(same, other)) is (question == other)


@given(requests(), requests())
def test_whatever_else_differs_is_another_partition(one: Any, other: Any) -> None:
    def rest(body: dict[str, Any], question: str) -> Any:
        """All but the question, which is the only text that is empty."""
        content = body["messages"][-1]["content"]
        if type(content) is list:
            content = [*content[:-1], {"type": "text", "text": ""}]
        else:
            assert content == question
            content = ""
        messages = [*body["messages"][:-1], {"role": "user", "content": content}]
        found = canonical(
            msgspec.json.encode({**body, "messages": messages}), OPENAI_CHAT, keeps_sampling=False
        )
        assert found is not None
        return found.text

    same = rest(*one) == rest(*other)
    assert (partition(one[0], RECEIPT) == partition(other[0], RECEIPT)) is same


TENANT = st.fixed_dictionaries(
    {},
    optional={
        "team": st.sampled_from(["t", "u", ""]),
        "customer": st.sampled_from(["c", "d", None]),
        "key_id": st.sampled_from(["k", "l"]),
        "prompt_version": st.sampled_from([None, "1", "2"]),
    },
)


@given(TENANT, TENANT, st.sampled_from(["en", "de", None]), st.sampled_from(["en", "de", None]))
def test_another_tenant_prompt_or_language_is_another_partition(
    one: Any, other: Any, language: str | None, another: str | None
) -> None:
    first, second = replace(RECEIPT, **one), replace(RECEIPT, **other)

    def whose(receipt: Receipt) -> tuple[object, ...]:
        if not receipt.team:
            return (receipt.key_id, receipt.prompt_version)
        return (receipt.team, receipt.customer, receipt.prompt_version)

    body = chat(user("a?"))
    same = whose(first) == whose(second) and language == another
    assert (partition(body, first, language) == partition(body, second, another)) is same


def test_an_answer_s_key_is_of_its_partition_and_its_question() -> None:
    keys = {answer_key(b"p" * 32, "a"), answer_key(b"q" * 32, "a"), answer_key(b"p" * 32, "b")}
    assert len(keys) == 3
