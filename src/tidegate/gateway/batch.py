"""batch: the items of one request for embeddings, of which some are kept and the others are asked.

All vectors of an answer are made by one target, and by one model as that target calls it. What is
kept is taken of the target that the attempt is at: at any other the whole batch is asked, and where
the vectors that come do not go with those that were kept, it is asked once more as a whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, field

from tidegate.core.ask import Answer, Ask
from tidegate.core.cache import EmbeddingsCache
from tidegate.core.cache_labels import BEGINNING, Mark
from tidegate.core.kept_answer import Found
from tidegate.core.outcome import Failure
from tidegate.core.receipt import Receipt
from tidegate.gateway.vector_form import given, is_packed, length, length_of, to_keep
from tidegate.gateway.vector_key import Items
from tidegate.text.strict_json import UNREADABLE

_TOLD: Final = (
    b"x-tidegate-cache: %b\r\n"
    b"x-tidegate-cache-tier: embeddings\r\n"
    b"x-tidegate-cache-items: %d/%d\r\n"
)
_encode: Final = msgspec.json.Encoder().encode


class _Row(Struct):
    embedding: Raw
    index: int | None = None


class _Given(Struct):
    embedding: Raw
    index: int
    object: str = "embedding"


class _Answer(Struct):
    data: list[_Row]


_decode: Final = msgspec.json.Decoder(_Answer).decode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class Batch(Struct, eq=False):
    """`found` is what is kept of each target, by the item's place among the different ones. Of what
    the attempt at `target` asks, `used` was kept, and `missing` is asked for; `body` is what came,
    as OpenAI writes it, and `mixed` that it does not go with what was kept. `whole`: nothing kept
    is used any more. `told` are headers of the answer. By `tags` and `sources` its vectors may be
    invalidated; `mark` is what had been invalidated when it began."""

    tier: EmbeddingsCache
    asked: Items
    keys: Mapping[str, list[bytes]]
    release: str | None
    keeps: bool
    ttl_s: float
    members: dict[str, Raw]
    found: dict[str, dict[int, Found]] = field(default_factory=dict)
    target: str = ""
    used: Mapping[int, Found] = field(default_factory=dict)
    missing: Sequence[int] = ()
    body: bytes | None = None
    mixed: bool = False
    whole: bool = False
    told: bytes = b""
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    mark: Mark = BEGINNING

    def aim(self, ask: Ask, target: str) -> None:
        """The request as this target is asked it: for what is not kept of it."""
        items = self.asked.items
        self.target, self.body = target, None
        self.used = {} if self.whole else self.found.get(target, {})
        self.missing = [at for at in range(len(items)) if at not in self.used]
        members = self.members
        if self.is_split:
            wanted = [items[at] for at in self.missing]
            members = {**members, "input": Raw(_encode(wanted))}
        ask.members, ask.body = members, _encode(members)

    @property
    def is_split(self) -> bool:
        """Whether something else is asked than the caller asks."""
        return len(self.missing) < len(self.asked.places)

    def join(self, body: bytes, answer: Answer | None, receipt: Receipt) -> bytes:
        """The answer to the whole request, of what has come and what was kept. Failure where the
        former are not as many as were asked for."""
        self.body = body
        hits = self.note(receipt, self.used)
        if not self.is_split:
            return body
        rows = rows_of(body, len(self.missing))
        if rows is None:
            message = "the provider made another number of vectors than was asked for"
            raise Failure("malformed", "upstream_malformed", message)
        served = None if answer is None else answer.model_served
        self.mixed = hits > 0 and not self._goes_with(rows, served)
        if self.mixed:
            return body
        vectors = dict(zip(self.missing, map(self._as_asked, rows), strict=True))
        vectors |= {at: Raw(self._form(one)) for at, one in self.used.items()}
        return _encode({**_members(body), "data": self._data(vectors)})

    def kept_whole(self, target: str, model: str) -> bytes:
        """The answer where every vector of this target is kept. Nobody was asked for anything, so
        that it used no token."""
        found = self.found[target]
        vectors = {at: Raw(self._form(one)) for at, one in found.items()}
        model = found[0].answer.model_served or model
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        data = self._data(vectors)
        return _encode({"object": "list", "data": data, "model": model, "usage": usage})

    def note(self, receipt: Receipt, used: Mapping[int, Found]) -> int:
        """On the receipt what was kept of it: how many of the caller's items."""
        places = self.asked.places
        receipt.cache_items = len(places)
        hits = receipt.cache_item_hits = sum(at in used for at in places) if used else 0
        outcome = receipt.cache = (
            "miss" if not hits else "hit" if hits == len(places) else "partial"
        )
        receipt.cache_tier = receipt.cache_from = receipt.cache_age_s = None
        receipt.saved_nanousd = receipt.saved_s = None
        if hits:
            receipt.cache_tier = "embeddings"
            receipt.cache_age_s = max(one.age_s for one in used.values())
            whose = {one.answer.receipt_id for one in used.values()}
            receipt.cache_from = whose.pop() if len(whose) == 1 else None
            costs = [used[at].answer.cost_nanousd for at in places if at in used]
            known = [cost for cost in costs if cost is not None]
            receipt.saved_nanousd = sum(known) if len(known) == len(costs) else None
        if hits == len(places):  # what is asked for takes its time, whatever goes with it
            receipt.saved_s = max(one.answer.took_s for one in used.values())
        self.told = _TOLD % (outcome.encode(), hits, len(places))
        return hits

    def _goes_with(self, rows: list[Raw], served: str | None) -> bool:
        """Whether what has come is of the model and the length of what was kept."""
        one = next(iter(self.used.values())).answer
        long = length(one.body)
        return one.model_served == served and all(length_of(bytes(row)) == long for row in rows)

    def _as_asked(self, row: Raw) -> Raw:
        """Some providers write one form whatever was asked for."""
        if is_packed(bytes(row)) == self.asked.packed:
            return row
        kept = to_keep(bytes(row))
        return row if kept is None else Raw(given(kept, packed=self.asked.packed))

    def _form(self, found: Found) -> bytes:
        return given(found.answer.body, packed=self.asked.packed)

    def _data(self, vectors: Mapping[int, Raw]) -> list[_Given]:
        return [_Given(vectors[at], index) for index, at in enumerate(self.asked.places)]


def rows_of(body: bytes, count: int) -> list[Raw] | None:
    """The `embedding` of each of so many rows, in the order in which they were asked for; None
    where they are not so many, or nobody can tell which is whose."""
    try:
        rows = _decode(body).data
    except UNREADABLE:
        return None
    if len(rows) != count:
        return None
    told = [row.index for row in rows]
    if all(index is None for index in told):
        return [row.embedding for row in rows]
    if sorted(-1 if index is None else index for index in told) != list(range(count)):
        return None
    ordered: list[Any] = [None] * count
    for row in rows:
        ordered[row.index or 0] = row.embedding
    return ordered


def agreeing(found: dict[int, Found]) -> dict[int, Found]:
    """Those that go with each other: of the model and the length of the newest."""
    kinds = {at: (one.answer.model_served, length(one.answer.body)) for at, one in found.items()}
    readable = [at for at, (_, long) in kinds.items() if long is not None]
    if not readable:
        return {}
    newest = kinds[max(readable, key=lambda at: found[at].answer.made_at_s)]
    return {at: found[at] for at in readable if kinds[at] == newest}
