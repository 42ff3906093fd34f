"""Every member of a whole answer in which a text may stand, by endpoint."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.gateway.test_guard_output import output

from tidegate.gateway.guard_bodies import BODIES, pictures, said, transcript

MAIL, GONE = "a@x.org", "<EMAIL_1>"
LOGGED: Any = {
    "prompt_logprobs": [None, {"1": {"decoded_token": "a"}}],
    "prompt_token_ids": [1],
    "choices": [
        {
            "message": {"content": MAIL},
            "logprobs": {"content": [{"token": MAIL}]},
            "token_ids": [1, 2],
        }
    ],
}
LOOKED_AT: Final[tuple[Any, ...]] = (
    {"choices": [{"message": {"content": MAIL, "reasoning_content": MAIL, "refusal": MAIL}}]},
    {"choices": [{"message": {"annotations": [{"url_citation": {"title": MAIL}}]}}]},
    {"choices": [{"text": MAIL}]},
    {"choices": [{"message": {"content": "x"}}], "search_results": [{"snippet": MAIL}]},
    {"choices": [], "citations": [MAIL]},
    {"output": [{"type": "message", "content": [{"type": "output_text", "text": MAIL}]}]},
    {"output": [{"type": "code_interpreter_call", "outputs": [{"logs": MAIL}]}]},
    {"output": [], "output_text": MAIL},
    {"content": [{"type": "text", "text": MAIL, "citations": [{"cited_text": MAIL}]}]},
    {"content": [{"type": "web_search_tool_result", "content": [{"title": MAIL}]}]},
    {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {MAIL: MAIL}}]},
)


def whole(body: Any) -> Any:
    return msgspec.json.decode(output().whole(msgspec.json.encode(body)))


@pytest.mark.parametrize("body", LOOKED_AT, ids=[str(at) for at in range(len(LOOKED_AT))])
def test_texts_are_found_wherever_they_stand(body: Any) -> None:
    sent = msgspec.json.encode(body).decode()
    assert whole(body) == msgspec.json.decode(sent.replace(MAIL, GONE))


def test_nothing_tells_the_tokens_of_what_was_changed() -> None:
    made = whole(LOGGED)
    assert made == {
        "choices": [{"message": {"content": GONE}, "logprobs": None, "token_ids": None}]
    }
    same = msgspec.json.decode(msgspec.json.encode(LOGGED).replace(MAIL.encode(), b"x"))
    assert whole(same) == same
    raw = {"output": [], "output_messages": [{"message": MAIL, "tokens": [1]}]}
    assert whole(raw) == {"output": []}


def test_arguments_keep_members_that_are_called_so() -> None:
    call = {"type": "tool_use", "input": {"logprobs": [1]}}
    made = whole({"content": [{"type": "text", "text": MAIL}, call]})
    assert made["content"] == [{"type": "text", "text": GONE}, call]


def test_a_voice_that_nobody_asked_for_is_left_out() -> None:
    audio = {"id": "a", "data": "UklGRg==", "transcript": "Write to a at x dot org"}
    made = whole({"choices": [{"message": {"content": None, "audio": audio}}]})
    assert made == {"choices": [{"message": {"content": None, "audio": None}}]}
    call = {"type": "tool_use", "input": {"audio": {"volume": 3}}}
    assert whole({"content": [call]}) == {"content": [call]}


def test_what_only_repeats_the_request_is_left() -> None:
    told = {"output": [], "instructions": MAIL, "metadata": {"a": MAIL}, "user": MAIL}
    assert whole(told) == told


def test_a_transcript_that_was_changed_is_told_by_its_text_alone() -> None:
    def clean(text: str) -> str:
        return text.replace(MAIL, GONE)

    told: Any = {"text": f"to {MAIL}", "duration": 2.5, "segments": [{"text": MAIL}], "words": []}
    made = transcript(msgspec.json.encode(told), clean)
    assert made is not None
    assert msgspec.json.decode(made) == {"text": f"to {GONE}", "duration": 2.5}
    assert transcript(f"to {MAIL}\n".encode(), clean) == f"to {GONE}\n".encode()
    assert transcript(b'{"text":"hi","segments":[]}', clean) is None


def test_images_tell_what_was_drawn() -> None:
    told: Any = {"created": 1, "data": [{"b64_json": "QUJD", "revised_prompt": MAIL}, {"url": "u"}]}
    made = pictures(msgspec.json.encode(told), lambda text: text.replace(MAIL, GONE))
    assert made is not None
    assert msgspec.json.decode(made)["data"] == [
        {"b64_json": "QUJD", "revised_prompt": GONE},
        {"url": "u"},
    ]
    assert pictures(b'{"data":[{"url":"u"}]}', str.upper) is None
    assert pictures(b'{"data":"revised_prompt"}', str.upper) is None


def test_what_is_no_json_has_no_texts() -> None:
    assert said(b"{", str.upper) is None
    assert set(BODIES).isdisjoint({"embeddings", "speech", "rerank", "moderations"})


# (as the page calls it, what happens, the test that shows it)
SHOWN: Final = {
    "texts": ("looked at", "test_texts_are_found_wherever_they_stand"),
    "arguments of calls": ("looked at", "test_texts_and_arguments_of_every_wire"),
    "other members": ("looked at", "test_members_that_nobody_has_heard_of_are_looked_through"),
    "transcripts": ("looked at", "test_transcripts_are_looked_through_as_a_whole"),
    "revised_prompt": ("looked at", "test_images_tell_what_was_drawn"),
    "cues and streams of transcripts": ("refused", "test_what_cannot_be_looked_through_is_refused"),
    "sound in chats": ("refused", "test_what_cannot_be_looked_through_is_refused"),
    "tokens": ("left out", "test_nothing_tells_the_tokens_of_what_was_changed"),
    "what repeats the request": ("not looked at", "test_what_only_repeats_the_request_is_left"),
    "rankings, vectors, categories, images, speech": (
        "not looked at",
        "test_what_is_no_json_has_no_texts",
    ),
}


def test_the_page_says_the_same_of_answers() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "guardrails.md").read_text()
    _, _, table = page.partition("| of an answer |")
    rows = re.findall(r"^\| ([^|]+?) \|.*\| ([a-z ]+) \|$", table.partition("\n\n")[0], re.M)
    assert {name.replace("`", ""): what for name, what in rows} == {
        name: what for name, (what, _) in SHOWN.items()
    }
    tests = [*(root / "tests/gateway").glob("test_guard*.py")]
    tests += (root / "tests/dialects").glob("test_*rewriter.py")
    there = {name for path in tests for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert {test for _, test in SHOWN.values()} <= there
