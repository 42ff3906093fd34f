"""Parts of a conversation as content blocks."""

import pytest
from msgspec import structs

from tidegate.core.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._bedrock_models import traits_of
from tidegate.providers._bedrock_parts import MAX_NAME_CHARS, Block, Blocks

CLAUDE = "anthropic.claude-sonnet-4-6"


def blocks_of(
    *parts: Part, drop: bool = False, model: str = CLAUDE
) -> tuple[list[Block], list[str]]:
    losses = Losses(Conversation([Turn("user", parts)]), "bedrock", drop=drop)
    return Blocks(losses, traits_of(model)).of(parts), losses.names


def lost(part: Part) -> str | None:
    with pytest.raises(Refusal) as no:
        blocks_of(part)
    blocks, names = blocks_of(part, drop=True)
    assert (blocks, names) == ([], [no.value.param])
    return no.value.param


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("image/png", "png"), ("image/jpeg", "jpeg"), ("IMAGE/JPG", "jpeg"), ("image/webp", "webp")],
)
def test_an_image_stays_the_base64_that_came(media_type: str, kind: str) -> None:
    block = {"image": {"format": kind, "source": {"bytes": "iVBOR+/="}}}
    assert blocks_of(Image("iVBOR+/=", media_type)) == ([block], [])


def test_an_image_in_s3_is_named_and_others_are_fetched_by_nobody() -> None:
    found, _ = blocks_of(Image(url="s3://bucket/a/b.JPG"))
    source = {"s3Location": {"uri": "s3://bucket/a/b.JPG"}}
    assert found == [{"image": {"format": "jpeg", "source": source}}]
    assert lost(Image(url="https://example.com/a.png")) == "url"
    assert lost(Image(url="s3://bucket/a.tiff")) == "media_type"
    assert lost(Image("AAAA", "image/tiff")) == "media_type"
    assert lost(Image("AAAA")) == "media_type"
    assert lost(Image(file_id="file-1")) == "file_id"


def test_the_detail_of_an_image_is_left_out_and_named() -> None:
    found, names = blocks_of(Image("AAAA", "image/png", detail="high"))
    assert len(found) == 1 and names == ["detail"]


def test_documents_as_bytes_as_text_and_in_s3() -> None:
    found, _ = blocks_of(
        Document("JVBERi0=", "application/pdf", title="report.pdf", context="Of 2026."),
        Document(text="all of it", title="notes"),
        Document(url="s3://bucket/x.csv"),
    )
    assert found == [
        {
            "document": {
                "format": "pdf",
                "name": "report",
                "source": {"bytes": "JVBERi0="},
                "context": "Of 2026.",
            }
        },
        {"document": {"format": "txt", "name": "notes", "source": {"text": "all of it"}}},
        {
            "document": {
                "format": "csv",
                "name": "document",
                "source": {"s3Location": {"uri": "s3://bucket/x.csv"}},
            }
        },
    ]
    assert lost(Document("AAAA", "application/zip")) == "media_type"
    assert lost(Document(url="https://example.com/a.pdf")) == "url"
    assert lost(Document(file_id="file-1")) == "file_id"


def test_names_are_of_the_letters_that_converse_takes_and_never_twice() -> None:
    titles = ["a_b  c!.pdf", "A b C", "分析.pdf", ".pdf", None, "x" * 300, "x" * 300, "a.b.c"]
    found, _ = blocks_of(*[Document("AAAA", "application/pdf", title=title) for title in titles])
    names = [block["document"]["name"] for block in found]
    assert names[:5] == ["a b c", "A b C 2", "document", "pdf", "document 2"]
    assert names[5][:-2] == names[6][:-4] or names[6] == f"{names[5]} 2"
    assert all(len(name) <= MAX_NAME_CHARS for name in names)
    assert names[7] == "a b"


def test_reasoning_goes_back_to_the_byte_or_not_at_all() -> None:
    signed = Reasoning("hm\n", "EqoB+/=", None, "anthropic")
    sealed = Reasoning("", None, "RW13S0FoZ0I=", "anthropic")
    assert blocks_of(signed, sealed) == (
        [
            {"reasoningContent": {"reasoningText": {"text": "hm\n", "signature": "EqoB+/="}}},
            {"reasoningContent": {"redactedContent": "RW13S0FoZ0I="}},
        ],
        [],
    )
    for foreign in (
        Reasoning("hm"),
        Reasoning("hm", None, None, "anthropic"),
        Reasoning("hm", "sig", "sealed", "gemini"),
    ):
        assert blocks_of(foreign) == ([], ["reasoning"])


def test_a_result_that_failed_is_said_to_have_where_the_model_takes_it() -> None:
    failed = ToolResult("c", is_error=True)
    for model in (CLAUDE, "us.amazon.nova-pro-v1:0", "unknown"):
        (block,), names = blocks_of(failed, model=model)
        assert (block["toolResult"]["status"], names) == ("error", [])
    (block,), names = blocks_of(failed, model="mistral.mistral-large-2402-v1:0")
    assert ("status" in block["toolResult"], names) == (False, ["is_error"])


@pytest.mark.parametrize("thought", [Reasoning("t", "c2ln"), Reasoning(sealed="c2VhbA==")])
def test_nobodys_reasoning_is_shown_to_another_makers_model(thought: Reasoning) -> None:
    for model, wire in ((CLAUDE, "anthropic"), ("openai.gpt-oss-120b-1:0", "bedrock")):
        own = structs.replace(thought, wire=wire)
        other = structs.replace(thought, wire={"anthropic": "bedrock"}.get(wire, "anthropic"))
        found, names = blocks_of(own, model=model)
        assert len(found) == 1 and names == []
        assert blocks_of(other, model=model) == ([], ["reasoning"])
