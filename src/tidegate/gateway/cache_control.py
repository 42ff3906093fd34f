"""cache_control: what a caller says of the cache for this request, in whichever gateway's words.

`Cache-Control` as HTTP has it, headers of our own, LiteLLM's `cache` in the body, and the headers
of Portkey, Helicone, Cloudflare and Bifrost. What says less is obeyed beside what says more: any of
them may turn a lookup off. Nobody keeps an answer longer than its route does.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Ask
from tidegate.core.cache_labels import MOST_CHARS, MOST_TAGS, is_label
from tidegate.core.outcome import Refusal
from tidegate.gateway.context import identifier

OWN: Final = b"x-tidegate-cache"
_OWN_TTL: Final = b"x-tidegate-cache-ttl"
_OWN_NAMESPACE: Final = b"x-tidegate-cache-namespace"
_OWN_THRESHOLD: Final = b"x-tidegate-cache-threshold"
_THRESHOLD: Final = b"x-bf-cache-threshold"
_TAGS: Final = b"x-tidegate-cache-tags"
_SOURCES: Final = b"x-tidegate-cache-sources"
_STANDARD: Final = b"cache-control"
# Headers of others by what they mean. Those of the first kinds say `true`.
_NO_CACHE: Final = (b"x-portkey-cache-force-refresh",)
_NO_STORE: Final = (b"x-bf-cache-no-store",)
_OFF: Final = (b"cf-aig-skip-cache", b"cf-skip-cache")
_ON: Final = b"helicone-cache-enabled"
_TTLS: Final = (b"cf-aig-cache-ttl", b"cf-cache-ttl", b"x-bf-cache-ttl")
_NAMESPACES: Final = (
    b"x-portkey-cache-namespace",
    b"helicone-cache-seed",
    b"cf-aig-cache-key",
    b"x-bf-cache-key",
)
_NAMES: Final = frozenset(
    {OWN, _OWN_TTL, _OWN_NAMESPACE, _OWN_THRESHOLD, _TAGS, _SOURCES, _STANDARD, _ON, _THRESHOLD}
    | {*_NO_CACHE, *_NO_STORE, *_OFF, *_TTLS, *_NAMESPACES}
)
_SECONDS: Final = re.compile(rb"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)?", re.ASCII)
_COSINE: Final = re.compile(rb"0(?:\.\d{1,9})?|1(?:\.0{1,9})?", re.ASCII)
_UNIT_S: Final = {None: 1.0, b"ms": 0.001, b"s": 1.0, b"m": 60.0, b"h": 3600.0}
_MEMBER: Final = "cache"
# LiteLLM's; a `cache` with anything else in it is not for us.
_OF_MEMBER: Final = frozenset(
    {"no-cache", "no-store", "ttl", "s-maxage", "s-max-age", "namespace", "use-cache"}
)
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode


class Directives(Struct, eq=False):
    """`reads`: a kept answer will do, no older than `max_age_s`, and where it is `near` one to
    another wording of the question, whose cosine is `least_score` or more. `keeps`: its own may be
    kept, for `ttl_s` at most. `namespace` sets its answers apart; by `tags` and `sources` they may
    be invalidated."""

    reads: bool = True
    near: bool = True
    least_score: float = 0.0
    keeps: bool = True
    max_age_s: float | None = None
    ttl_s: float | None = None
    namespace: str = ""
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def takes(self, age_s: float) -> bool:
        """Whether an answer is not too old for it."""
        if self.max_age_s is not None and age_s > self.max_age_s:
            return False
        return self.ttl_s is None or age_s < self.ttl_s


def directives(headers: Mapping[bytes, bytes], ask: Ask) -> Directives:
    """What this request says. The body's `cache` is taken out of it. Refusal for a header of our
    own that cannot be read: who writes one means it."""
    found = Directives()
    if not _NAMES.isdisjoint(headers):
        _read_headers(headers, found)
    if _MEMBER in ask.members:
        _read_member(ask, found)
    return found


def take_out(ask: Ask) -> None:
    """The body's `cache`, of a request that is not looked for among kept answers."""
    if _MEMBER in ask.members:
        _read_member(ask, Directives())


def _read_headers(headers: Mapping[bytes, bytes], found: Directives) -> None:
    _read_list(headers.get(_STANDARD, b""), found)
    own = headers.get(OWN)
    if own is not None and not _read_list(own, found):
        raise _wrong(OWN, "no-cache, no-store, exact-only or max-age=SECONDS")
    for name in _NO_CACHE:
        found.reads = found.reads and not _is_true(headers.get(name))
    for name in _NO_STORE:
        found.keeps = found.keeps and not _is_true(headers.get(name))
    off = any(_is_true(headers.get(name)) for name in _OFF)
    if off or headers.get(_ON, b"true").strip().lower() == b"false":
        found.reads = found.keeps = False
    for name in _TTLS:
        ttl_s = _seconds(headers.get(name, b""))
        if ttl_s is not None:
            found.ttl_s = _least(found.ttl_s, ttl_s)
    own = headers.get(_OWN_TTL)
    if own is not None:
        ttl_s = _seconds(own)
        if ttl_s is None:
            raise _wrong(_OWN_TTL, "seconds, such as 60, of nine digits at most")
        found.ttl_s = _least(found.ttl_s, ttl_s)
    _read_namespaces(headers, found)
    found.least_score = _score(headers.get(_THRESHOLD, b"")) or 0.0
    own = headers.get(_OWN_THRESHOLD)
    if own is not None:
        least = _score(own)
        if least is None:
            raise _wrong(_OWN_THRESHOLD, "a cosine from 0 to 1, such as 0.95")
        found.least_score = max(found.least_score, least)
    found.tags, found.sources = _labels(headers, _TAGS), _labels(headers, _SOURCES)


def _read_namespaces(headers: Mapping[bytes, bytes], found: Directives) -> None:
    """All that are told together: each sets apart."""
    told = [(name, headers[name]) for name in _NAMESPACES if headers.get(name)]
    own = headers.get(_OWN_NAMESPACE)
    if own is not None:
        if identifier(own.decode("latin-1")) is None:
            raise _wrong(_OWN_NAMESPACE, "a word of at most 256 characters")
        told.append((_OWN_NAMESPACE, own))
    found.namespace = "\n".join(f"{name.decode()}={value.hex()}" for name, value in told)


def _labels(headers: Mapping[bytes, bytes], name: bytes) -> tuple[str, ...]:
    """Words between commas."""
    value = headers.get(name)
    if value is None:
        return ()
    try:
        words = tuple(dict.fromkeys(word.strip() for word in value.decode().split(",")))
    except UnicodeDecodeError:
        words = ("",)
    if len(words) > MOST_TAGS or not all(map(is_label, words)):
        raise _wrong(
            name, f"at most {MOST_TAGS} words of at most {MOST_CHARS} characters, between commas"
        )
    return words


def _read_list(value: bytes, found: Directives) -> bool:
    """Cache-Control's directives. Whether each of them is one that is known."""
    known = bool(value)
    for part in value.split(b","):
        name, _, said = part.partition(b"=")
        name = name.strip().lower()
        if name == b"no-cache":
            found.reads = False
        elif name == b"no-store":
            found.keeps = False
        elif name == b"exact-only":
            found.near = False
        elif name in (b"max-age", b"s-maxage"):
            age_s = _seconds(said.strip().strip(b'"'))
            known = known and age_s is not None
            if age_s is not None:
                found.max_age_s = _least(found.max_age_s, age_s)
        elif name:
            known = False
    return known


def _read_member(ask: Ask, found: Directives) -> None:
    """LiteLLM's `cache`, which no provider takes."""
    try:
        told = _decode(ask.members[_MEMBER])
    except msgspec.DecodeError:
        return
    if not _OF_MEMBER.issuperset(told):
        return
    ask.members = {name: value for name, value in ask.members.items() if name != _MEMBER}
    ask.body = _encode(ask.members)
    if told.get("no-cache") is True:
        found.reads = False
    if told.get("no-store") is True:
        found.keeps = False
    if told.get("use-cache") is False:
        found.reads = found.keeps = False
    for name in ("s-maxage", "s-max-age"):
        age_s = _time_s(told.get(name))
        if age_s is not None:
            found.max_age_s = _least(found.max_age_s, age_s)
    ttl_s = _time_s(told.get("ttl"))
    if ttl_s is not None:
        found.ttl_s = _least(found.ttl_s, ttl_s)
    namespace = told.get("namespace")
    if isinstance(namespace, str) and namespace:
        found.namespace += f"\n{_MEMBER}={namespace.encode('utf-8', 'surrogatepass').hex()}"


def _time_s(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return float(value)


def _is_true(value: bytes | None) -> bool:
    return value is not None and value.strip().lower() == b"true"


def _seconds(value: bytes) -> float | None:
    match = _SECONDS.fullmatch(value.strip())
    return None if match is None else float(match[1]) * _UNIT_S[match[2]]


def _score(value: bytes) -> float | None:
    match = _COSINE.fullmatch(value.strip())
    return None if match is None else float(match[0])


def _least(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)


def _wrong(name: bytes, wanted: str) -> Refusal:
    header = name.decode()
    return Refusal("invalid_parameter", f"`{header}` must be {wanted}", param=header)
