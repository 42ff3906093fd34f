"""Images and files in a prompt: found whatever the shape, and bounded by what they can be."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.rig import HELLO, gateway, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.ask import Ask
from tidegate.core.plan import Limit
from tidegate.core.price import Price, Rate
from tidegate.gateway.media import Media, kinds, media

URL = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
TEXT = {"type": "text", "text": "[what] is this?"}
INLINE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "data:;base64," + "A" * 90_000}}
DATA = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
SHOWN = {"type": "image", "source": DATA}
PAPER = {"type": "document", "source": {**DATA, "media_type": "application/pdf"}}
WRITTEN = {"type": "document", "source": {"type": "text", "data": "tides"}}
FILE = {"type": "file", "file": {"file_id": "file-1"}}


def asked(*contents: Any, endpoint: Any = "chat", **members: Any) -> Ask:
    messages = [{"role": "user", "content": content} for content in contents]
    body = msgspec.json.encode({"model": "m", "messages": messages, **members})
    return Ask(endpoint, body, msgspec.json.decode(body, type=dict[str, msgspec.Raw]), "m")


@pytest.mark.parametrize(
    ("contents", "images", "files"),
    [
        (["hello"], 0, 0),
        (["a [link]"], 0, 0),
        ([[TEXT]], 0, 0),
        ([[TEXT, URL], [URL, FILE]], 2, 1),
        ([["words", {"image": "AAAA"}]], 1, 0),
        ([[{"image_url": "https://no.type"}]], 1, 0),
        ([[{"type": "input_audio", "input_audio": {"data": "AAAA"}}]], 0, 0),
        ([[{"video_url": {"url": "https://x"}}]], 0, 1),
        ([[1, 2]], 0, 1),
        ([[[URL]]], 0, 1),
        (["x", None, [URL]], 1, 0),
        ([[SHOWN, PAPER, WRITTEN]], 1, 1),
        ([[{"type": "tool_result", "tool_use_id": "t", "content": [SHOWN, TEXT, PAPER]}]], 1, 1),
        ([[{"type": "image", "source": "AAAA"}]], 0, 1),
    ],
)
def test_what_is_no_text_is_found(contents: list[Any], images: int, files: int) -> None:
    found = media(asked(*contents))
    assert (found.images, found.files) == (images, files)


def test_a_name_in_escapes_hides_nothing() -> None:
    body = rb'{"model":"m","messages":[ {"content" : [{"image\u005furl":"https://x"}]}]}'
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    assert media(Ask("chat", body, members, "m")).images == 1


def test_how_much_of_the_body_is_theirs() -> None:
    assert media(asked([TEXT, INLINE])).bytes == len(msgspec.json.encode(INLINE["image_url"]))
    assert media(asked(["x"], endpoint="embeddings")) == Media()
    assert media(Ask("chat", b"[[", {}, "m")) == Media()


def test_they_are_never_more_than_the_context() -> None:
    to = target(1, image_tokens=1000, file_tokens=5000)
    assert Media(2, 1).most_tokens(to) == 7000
    to = target(1, image_tokens=1000, file_tokens=5000, context_tokens=6000)
    assert Media(2, 1).most_tokens(to) == 6000


PRICE = Price("plan:x", "plan", input=Rate(1_000_000), output=Rate(1_000_000))


@pytest.mark.parametrize("tokenizer", [None, "o200k"])
@pytest.mark.parametrize("part", [URL, INLINE])
def test_an_image_is_held_as_the_most_that_it_can_be(
    tmp_path: Path, part: dict[str, Any], tokenizer: str | None
) -> None:
    """A nano-dollar a token: the budget's room decides whether it fits, counted exactly or not."""
    body = {**HELLO, "messages": [{"role": "user", "content": [TEXT, part]}], "max_tokens": 16}

    async def main() -> None:
        for room, status in ((2000, 429), (2500, 200)):
            budget = Limit("money", "spend", room, unit="month")
            to = {"price": PRICE, "image_tokens": 2000, "tokenizer": tokenizer}
            async with (
                Upstream(whole()) as up,
                gateway(tmp_path / str(room), target(up.port, **to), limits=(budget,)) as it,
            ):
                assert (await it.ask(body=body)).status == status
                if status == 200:
                    [hold] = (await it.receipt()).holds
                    assert 2016 < hold.amount < 2500

    run(main())


def test_an_inline_image_is_not_taken_for_a_long_text(tmp_path: Path) -> None:
    """Neither by the context nor by what the provider says that it still allows."""
    body = {**HELLO, "messages": [{"role": "user", "content": [TEXT, INLINE]}]}
    left = [("x-ratelimit-remaining-tokens", "2000"), ("x-ratelimit-reset-tokens", "50s")]

    async def main() -> None:
        async with (
            Upstream(whole(headers=left)) as up,
            gateway(tmp_path, target(up.port, context_tokens=2000)) as it,
        ):
            assert (await it.ask(body=body)).status == 200
            assert (await it.ask(body=body)).status == 200

    run(main())


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ("an image", []),
        ([TEXT, WRITTEN, FILE], []),
        ([URL], ["image"]),
        ([SHOWN, PAPER], ["image", "pdf"]),
        ([{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}}], ["pdf"]),
        ([{"type": "input_audio", "input_audio": {"data": "AAAA"}}], ["audio"]),
        ([{"video_url": {"url": "https://x"}}], ["video"]),
        ([{"type": "tool_result", "tool_use_id": "t", "content": [SHOWN]}], ["image"]),
        ([1, 2], []),
    ],
    ids=str,
)
def test_kinds_of_content_are_told_as_far_as_parts_say(content: Any, held: list[str]) -> None:
    assert kinds(asked(content)) == set(held)
