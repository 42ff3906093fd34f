"""Embeddings as a provider makes them, in OpenAI's wire and in Gemini's."""

import base64
import struct
from typing import Any

import msgspec
from openai.types import CreateEmbeddingResponse
from tests.sdks.said import Heard

TEXTS = ["high tide", "Ebbe in Zürich"]
VECTORS = [[0.5, -0.25, 1.0], [0.125, 0.0, -2.0]]
TOKENS = 9


def heard(path: str, body: Any) -> Heard:
    if path.endswith(":batchEmbedContents"):
        model = path.removeprefix("/v1/models/").partition(":")[0]
        assert {one["model"] for one in body["requests"]} == {f"models/{model}"}
        texts = [part["text"] for one in body["requests"] for part in one["content"]["parts"]]
        return Heard(model, texts=texts)
    if path == "/v2/embed":
        assert (body["input_type"], body["embedding_types"]) == ("search_document", ["float"])
        return Heard(body["model"], texts=body["texts"])
    assert path.partition("?")[0].endswith("/embeddings")
    told = Heard(body.get("model"), texts=body["input"])
    assert body.get("encoding_format", "float") in ("base64", "float")
    return told


def of_gemini() -> bytes:
    vectors = [{"values": vector} for vector in VECTORS]
    usage = {"promptTokenCount": TOKENS}
    return msgspec.json.encode({"embeddings": vectors, "usageMetadata": usage})


def of_cohere() -> bytes:
    meta = {"billed_units": {"input_tokens": TOKENS}}
    return msgspec.json.encode({"embeddings": {"float": VECTORS}, "meta": meta})


def answer(packed: bool) -> bytes:
    """Packed in base64, as OpenAI's client asks for it unless it is told otherwise."""
    rows = [
        {"object": "embedding", "index": index, "embedding": _packed(one) if packed else one}
        for index, one in enumerate(VECTORS)
    ]
    usage = {"prompt_tokens": TOKENS, "total_tokens": TOKENS}
    told = {"object": "list", "data": rows, "model": "served", "usage": usage}
    if not packed:
        CreateEmbeddingResponse.model_validate(told)
    return msgspec.json.encode(told)


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
