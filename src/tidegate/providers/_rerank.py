"""The one shape of a ranking, `{"results": [{"index", "relevance_score"}]}`, in the wires that have
another: what is asked of them, and what their answers are in it.

Shapes: docs.cohere.com/reference/rerank, docs.voyageai.com/reference/reranker-api, TEI's
`/docs` (openapi), docs.fireworks.ai (`data`), SGLang's serving_rerank.py (a list), and
docs.nvidia.com/nim/nemo-retriever/text-reranking.
"""

from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tidegate.core.ask import Answer, Ask, Outgoing, Units
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import Target
from tidegate.providers._failures import malformed, no_answer
from tidegate.providers._media import Media, are_ranks
from tidegate.providers._media_usage import read_media_usage
from tidegate.providers._openai_error import failure_in_answer
from tidegate.text.strict_json import UNREADABLE

_HOSTED_NIM: Final = "ai.api.nvidia.com"
_COHERES: Final = ("top_n", "max_tokens_per_doc", "priority")
_encode: Final = msgspec.json.Encoder().encode


class Wanted(Struct):
    """What every wire of a ranking has."""

    query: str
    documents: list[Any]
    top_n: int | None = None
    top_k: int | None = None
    return_documents: bool = False


class Rank(Struct):
    """One document's, in a provider's words."""

    index: int
    relevance_score: float | None = None
    score: float | None = None
    logit: float | None = None
    document: Any = None
    text: Any = None


class _Listed(Struct):
    data: list[Rank] | None = None
    rankings: list[Rank] | None = None
    error: Any = None
    model: str | None = None
    usage: Any = None


_wanted: Final = msgspec.json.Decoder(Wanted).decode
_listed: Final = msgspec.json.Decoder(_Listed).decode
_ranks: Final = msgspec.json.Decoder(list[Rank] | _Listed).decode


def read_wanted(ask: Ask) -> tuple[Wanted, list[str]]:
    """The ranking and its documents' texts. Refusal where one has none."""
    try:
        wanted = _wanted(ask.body)
    except UNREADABLE as error:
        name = "documents" if "documents" in str(error) else "query"
        message = f"this model ranks texts ({error})"[:300]
        raise Refusal("invalid_parameter", message, param=name) from None
    texts = [one.get("text") if isinstance(one, dict) else one for one in wanted.documents]
    known = [text for text in texts if isinstance(text, str)]
    if len(known) != len(texts):
        raise Refusal("invalid_parameter", "this model ranks texts alone", param="documents")
    return wanted, known


class DataRanking(Media):
    """Answers that hold `data`, or NVIDIA's `rankings`. What is no ranking passes as it is."""

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        return of_data(ask, body) if ask.endpoint == "rerank" else super().read_answer(ask, body)


class ListRanking(Media):
    """Answers that are a list."""

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        return of_list(ask, body) if ask.endpoint == "rerank" else super().read_answer(ask, body)


class CohereRanking(Media):
    """Cohere's own API: texts alone, and the members that it knows."""

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        if ask.endpoint != "rerank":
            return super().encode(ask, target)
        return Outgoing(b"/rerank", as_cohere(ask, target))


class VoyageRanking(DataRanking):
    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return Outgoing(b"/rerank", as_voyage(ask, target))


class TeiRanking(ListRanking):
    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return Outgoing(b"/rerank", as_tei(ask))


class NimRanking(DataRanking):
    """In house `/ranking`; each hosted model at a path of its own, on a host for those alone."""

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        own = f"/retrieval/{target.model.replace('.', '_')}/reranking"
        path = own if target.replicas[0].host == _HOSTED_NIM else "/ranking"
        return Outgoing(quote(path).encode(), as_nim(ask, target))


def as_cohere(ask: Ask, target: Target) -> bytes:
    wanted, texts = read_wanted(ask)
    body: dict[str, Any] = {"model": target.model, "query": wanted.query, "documents": texts}
    body.update((name, ask.members[name]) for name in _COHERES if name in ask.members)
    return _encode(body)


def as_nim(ask: Ask, target: Target) -> bytes:
    """NVIDIA's request, which has no word for how many are wanted."""
    wanted, texts = read_wanted(ask)
    passages = [{"text": text} for text in texts]
    body: dict[str, Any] = {"model": target.model, "query": {"text": wanted.query}}
    body["passages"] = passages
    if "truncate" in ask.members:
        body["truncate"] = ask.members["truncate"]
    return _encode(body)


def as_voyage(ask: Ask, target: Target) -> bytes:
    """Voyage's request: `top_k` in place of `top_n`."""
    wanted, texts = read_wanted(ask)
    body: dict[str, Any] = {"model": target.model, "query": wanted.query, "documents": texts}
    most = wanted.top_n if wanted.top_n is not None else wanted.top_k
    if most is not None:
        body["top_k"] = most
    if wanted.return_documents:
        body["return_documents"] = True
    if "truncation" in ask.members:
        body["truncation"] = ask.members["truncation"]
    return _encode(body)


def as_tei(ask: Ask) -> bytes:
    """TEI's request: it ranks all that it gets, and has no word for how many are wanted."""
    wanted, texts = read_wanted(ask)
    body: dict[str, Any] = {"query": wanted.query, "texts": texts}
    body["return_text"] = wanted.return_documents
    for name in ("truncate", "raw_scores", "truncation_direction"):
        if name in ask.members:
            body[name] = ask.members[name]
    return _encode(body)


def of_data(ask: Ask, body: bytes) -> Answer:
    """Failure (`malformed`) where it is none."""
    try:
        told = _listed(body)
    except UNREADABLE:
        raise no_answer() from None
    if told.error:
        raise failure_in_answer(told.error)
    usage = read_media_usage(told.usage, wants_output=False)
    tokens, units = usage if usage is not None else (None, Units())
    ranks = told.data if told.rankings is None else told.rankings
    shown: dict[str, Any] = {"model": told.model, "results": _results(ask, ranks or [])}
    if told.usage is not None:
        shown["usage"] = told.usage
    return Answer(tokens, None, told.model, None, b"", units=units, shown=_encode(shown))


def of_list(ask: Ask, body: bytes) -> Answer:
    """Failure (`malformed`) where it is none. It tells no tokens."""
    try:
        told = _ranks(body)
    except UNREADABLE:
        raise no_answer() from None
    if isinstance(told, _Listed):
        raise failure_in_answer(told.error) if told.error else no_answer()
    shown = {"results": _results(ask, told)}
    return Answer(None, None, None, None, b"", units=Units(), shown=_encode(shown))


def _results(ask: Ask, told: list[Rank]) -> list[dict[str, Any]]:
    """In the one shape, the most relevant first, and no more than were wanted: not every provider
    has a word for that. Failure where they are not of what was asked."""
    results: list[dict[str, Any]] = []
    for one in told:
        scores = (one.relevance_score, one.score, one.logit)
        score = next((it for it in scores if it is not None), None)
        result: dict[str, Any] = {"index": one.index, "relevance_score": score}
        text = one.text if one.document is None else one.document
        if text is not None:
            result["document"] = {"text": text} if isinstance(text, str) else text
        results.append(result)
    if not results or not are_ranks(results, ask):
        raise _odd()
    return sorted(results, key=lambda it: it["relevance_score"], reverse=True)[: _most(ask)]


def _most(ask: Ask) -> int | None:
    """How many results are wanted; None where the request does not say it, or not as it should."""
    for name in ("top_n", "top_k"):
        told = msgspec.json.decode(ask.members.get(name, b"null"))
        if isinstance(told, int) and told > 0:
            return int(told)
    return None


def _odd() -> Failure:
    return malformed("the provider ranked other documents than it was asked for")
