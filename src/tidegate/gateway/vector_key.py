"""vector_key: the digest by which the vector of one item is found again.

Who shares it, the release, the one target that makes it and its model, everything else that the
request says, and the item. So vectors of two models never have the same key.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask
from tidegate.core.cache import EmbeddingsCache
from tidegate.core.plan import Route
from tidegate.core.receipt import Receipt
from tidegate.gateway.cache_key import DIGEST_BYTES, whose
from tidegate.gateway.canonical import hears_users, number, says_twice
from tidegate.text.strict_json import UNREADABLE

_VERSION: Final = 1
_HEAD_BYTES: Final = 4
# As many as OpenAI takes in one request.
MOST_ITEMS: Final = 2048
# Members that say nothing of the vector; `user` only where no model hears of it.
_APART: Final = frozenset({"model", "input", "encoding_format"})
_UNHEARD: Final = frozenset({"user"})
# Those that may be null for nothing.
_NULLABLE: Final = frozenset({"user", "dimensions"})
# With these and no others both forms are of the same vector.
_PLAIN: Final = frozenset({*_APART, *_NULLABLE, "input_type", "task", "truncate"})

Item = str | list[int]
_decode_input: Final = msgspec.json.Decoder(str | list[str | int | list[int]]).decode
_decode_form: Final = msgspec.json.Decoder(Literal["float", "base64"] | None).decode
_decode: Final[Callable[[Raw], Any]] = msgspec.json.Decoder(float_hook=number).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode
_pack: Final = msgspec.msgpack.Encoder(order="deterministic").encode


class Items(Struct, eq=False):
    """What is asked for: `items` are different from each other, and the vector of `items[p]`
    belongs at every place that has `p` in `places`. `packed`: its caller wants base64. `rest` is
    all else that the vectors depend on."""

    items: list[Item]
    places: list[int]
    packed: bool
    rest: bytes


class PreparedVectors(Struct, eq=False):
    """A route's cache of vectors, ready. `starts` have read, for each target whose answers are the
    release's own, what is the same for all of its requests; `tags` all of their vectors have.
    `off`: while a change in force has it so, every item is asked anew."""

    tier: EmbeddingsCache
    starts: Mapping[str, Any]
    hears_users: bool
    tags: tuple[str, ...] = ()
    off: bool = False

    def keys(self, asked: Items, receipt: Receipt, namespace: str) -> dict[str, list[bytes]]:
        """Of each item, by the target that makes it."""
        head = _pack((whose(self.tier.scope, receipt), namespace, asked.rest))
        head = len(head).to_bytes(_HEAD_BYTES, "big") + head
        items = [_bytes_of(item) for item in asked.items]
        found = {}
        for name, start in self.starts.items():
            begun = start.copy()
            begun.update(head)
            found[name] = [_digest(begun, item) for item in items]
        return found


def prepare_vectors(route: Route) -> PreparedVectors | None:
    """None where the route keeps none."""
    if route.cache is None or route.cache.embeddings is None:
        return None
    tier = route.cache.embeddings
    starts = {}
    for share in route.release.shares:
        made_by = share.target
        same = (
            _VERSION,
            *("embeddings", route.name, route.release.name),
            *(made_by.name, made_by.dialect, made_by.model),
            *(route.drops_unsupported, route.parameters, tier.scope, route.cache.tags),
        )
        starts[made_by.name] = hashlib.blake2b(_pack(same), digest_size=DIGEST_BYTES)
    kinds = {share.target.dialect for share in route.release.shares}
    return PreparedVectors(tier, starts, hears_users(kinds), route.cache.tags)


def read_items(ask: Ask, *, hears_users: bool) -> Items | None:
    """None where it is not for us to tell its items apart: its target may refuse it."""
    try:
        items = _items(_decode_input(ask.members["input"]))
        form = _decode_form(ask.members.get("encoding_format", Raw(b"null")))
        rest = _rest(ask, hears_users=hears_users)
        if items is None or rest is None:
            return None
        packed = form == "base64"
        if packed and not _PLAIN.issuperset(ask.members):
            rest += b"base64"
        return _different(items, packed=packed, rest=rest)
    except (*UNREADABLE, OverflowError, TypeError):
        return None


def _different(items: list[Item], *, packed: bool, rest: bytes) -> Items:
    places: list[int] = []
    place_of: dict[bytes, int] = {}
    found: list[Item] = []
    for item in items:
        place = place_of.setdefault(_bytes_of(item), len(found))
        if place == len(found):
            found.append(item)
        places.append(place)
    return Items(found, places, packed, rest)


def _items(said: str | list[Any]) -> list[Item] | None:
    """A text, texts, a text's tokens, or several texts' tokens."""
    if isinstance(said, str):
        return [said] if said else None
    if not said:
        return None
    kinds = {type(one) for one in said}
    if kinds == {int}:
        return [said]
    if len(kinds) > 1 or len(said) > MOST_ITEMS or not all(said):
        return None
    return list(said)


def _rest(ask: Ask, *, hears_users: bool) -> bytes | None:
    """What else is said; None where something of it is said twice."""
    found = {}
    for name, raw in ask.members.items():
        if name in _APART or (name in _UNHEARD and not hears_users):
            continue
        value: Any = _decode(raw)
        if value is not None or name not in _NULLABLE:
            found[name] = value
            if isinstance(value, dict | list) and says_twice(b'{"":%b}' % bytes(raw)):
                return None
    return _encode(found)


def _bytes_of(item: Item) -> bytes:
    return b"t" + item.encode() if isinstance(item, str) else b"i" + _pack(item)


def _digest(begun: Any, item: bytes) -> bytes:
    digest = begun.copy()
    digest.update(item)
    found: bytes = digest.digest()
    return found
