import msgspec
import pytest
from msgspec import Raw

from tidegate.sim import asked
from tidegate.sim.asked import Chat, Problem


def test_a_chat_is_read_and_unknown_members_are_let_pass():
    body = b'{"model":"m","messages":[{"role":"user","content":null}],"stop":"x","logit_bias":{}}'
    read = asked.read(body, Chat)
    assert (read.model, read.stops(), read.include_usage) == ("m", ["x"], False)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `messages`"),
        (b'{"messages":[{"role":1}]}', r"\$.messages\[0\].role"),
        (b'{"messages":[],"tool_choice":"maybe"}', "tool_choice"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_a_bad_body_is_answered_with_what_is_wrong(body, says):
    with pytest.raises(Problem, match=says) as caught:
        asked.read(body, Chat)
    error = msgspec.json.decode(caught.value.body())["error"]
    assert (error["code"], error["type"]) == (400, "BadRequestError")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (b'"a"', ["a"]),
        (b'["a","b"]', ["a", "b"]),
        (b"[1,2]", [[1, 2]]),
        (b"[[1],[2,3]]", [[1], [2, 3]]),
        (b'""', [""]),
    ],
)
def test_prompts_come_as_text_or_ids(given, read):
    assert asked.inputs(Raw(given), "prompt") == read


@pytest.mark.parametrize("given", [b"[]", b"[[]]", b"{}", b"3", b'[1,"a"]'])
def test_other_prompts_are_refused(given):
    with pytest.raises(Problem):
        asked.inputs(Raw(given), "prompt")


def test_token_ids_have_a_range():
    assert asked.ids_of([0, 2**32 - 1]) == [0, 2**32 - 1]
    with pytest.raises(Problem):
        asked.ids_of([-1])
