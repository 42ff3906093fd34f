"""The stream through which gateways, and applications, say to all gateways what may be given no
more. Its ids are given by the server, so that they order what different machines say and keep.

Each entry names what it means in pairs, as in `XADD tidegate:answers:invalidations * tag doc-17`.
An answer is put with the id that its gateway had read when it was asked for; it is void by what it
matches after that, and where the stream does not go back so far. A stream that is not there is
begun with an entry for everything, as nobody knows what was said in one before it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from tidegate.core import clock
from tidegate.core.cache_labels import EVERYTHING, Labels, Selector, Term, labelled
from tidegate.core.invalidated import Invalidated, Times
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_wire import RedisRefused, Reply, encode

log = logging.getLogger(__name__)

STREAM: Final = "tidegate:answers:invalidations"
LOOK_S: Final = 0.25
# Where the stream was not read for so long, nothing of the store is given.
STALE_S: Final = 3 * LOOK_S
_PATIENCE_S: Final = 0.5
_PAGE: Final = 200
# About so many are kept, and each is known by its id for so long: longer than any answer is.
MOST: Final = 10_000
_KNOWN_S: Final = 32 * 86_400
# Of more that could not be told yet everything is meant.
_MOST_UNPLACED: Final = 1000
_ID: Final = "id"
_EVERYTHING: Final = ("everything", "yes")
# KEYS: the stream, what remembers this one. ARGV: seconds, most entries, pairs. A server that is
# full refuses, and nothing has happened.
_PLACE: Final = """
local known = redis.call('GET', KEYS[2])
if known then return known end
local id = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
if type(id) == 'table' then return -1 end
redis.pcall('SET', KEYS[2], id, 'EX', ARGV[1])
return id
"""
_LAST: Final = encode("XREVRANGE", STREAM, "+", "-", "COUNT", 1)
_FIRST: Final = encode("XRANGE", STREAM, "-", "+", "COUNT", 1)
_BEGIN: Final = encode("XADD", STREAM, "*", *_EVERYTHING)

StreamId = tuple[int, int]
_NOWHERE: Final[StreamId] = (0, 0)


class RedisInvalidations:
    """`heard` is told of each with the id that control gave it ("": none); `known` are those of
    control, which a stream that is new is told. `malformed` counts entries that mean nothing."""

    def __init__(self, heard: Callable[[str, Selector], None], known: Mapping[str, Selector]):
        self.log: Invalidated[StreamId] = Invalidated(_NOWHERE)
        self.malformed = 0
        self._heard = heard
        self._known = known
        self._seen: StreamId | None = None
        self._times = Times("")
        self._unplaced: dict[str, tuple[Selector, tuple[Term, ...]]] = {}
        self._read_s: float | None = None

    @property
    def is_current(self) -> bool:
        """Whether the stream was read just now."""
        return self._read_s is not None and clock.monotonic_s() - self._read_s <= STALE_S

    def id_at(self, at_s: float) -> str:
        """The newest id that had been read then (monotonic seconds)."""
        return self._times.before(at_s)

    def at_most(self, id: str) -> str:
        """That id, or the newest that was read where it is beyond that: a caller may say any."""
        told = _parsed(id.encode())
        if told is None or self._seen is None:
            return ""
        return _written(min(told, self._seen))

    def voids(self, labels: Labels) -> bool:
        """Whether an answer of the store may not be given."""
        if self._unplaced:
            told = set(labelled(labels))
            if any(told.issuperset(terms) for _, terms in self._unplaced.values()):
                return True
        return self.log.voids(labels, _parsed(labels.id.encode()) or _NOWHERE)

    def place(self, link: RedisLink, name: str, selector: Selector) -> None:
        """Says to all what control has said to this gateway, once. Until the stream has it nothing
        is given here that it means."""
        if len(self._unplaced) >= _MOST_UNPLACED:
            self._unplaced.clear()
            selector = EVERYTHING
        self._unplaced[name] = (selector, selector.terms())
        pairs = [_ID, name, *(word for term in _pairs(selector) for word in term)]
        keys = (STREAM, f"{{{STREAM}}}:of:{name}")
        command = encode("EVAL", _PLACE, len(keys), *keys, _KNOWN_S, MOST, *pairs)
        try:
            future = link.send(command)
        except StoreUnavailable:
            return  # told again
        future.add_done_callback(lambda done: self._placed(done, name, selector))

    def place_all(self, link: RedisLink) -> None:
        """What control has said lately, where the stream might not have it."""
        rest = {name: selector for name, (selector, _) in self._unplaced.items()}
        for name, selector in {**self._known, **rest}.items():
            self.place(link, name, selector)

    def place_rest(self, link: RedisLink) -> None:
        """What could not be said before."""
        for name, (selector, _) in list(self._unplaced.items()):
            self.place(link, name, selector)

    async def read(self, link: RedisLink) -> None:
        """Hears what is new. RedisUnavailable, RedisRefused."""
        began_s = clock.monotonic_s()
        last = _entries(await link.ask(_LAST, _PATIENCE_S))
        if not last:
            await link.ask(_BEGIN, _PATIENCE_S)
        newest = last[0][0] if last else None
        seen = self._seen
        if seen is not None and seen != newest and not await self._goes_on(link, seen):
            log.warning("the stream of invalidations was cut off or begun anew: answers are void")
            self._seen = None
            self._heard("", EVERYTHING)
        if newest is None or newest != self._seen:
            await self._read_on(link)
        self._read_s = began_s

    async def _goes_on(self, link: RedisLink, seen: StreamId) -> bool:
        """Whether what was read last is still there, so that nothing after it is missing."""
        at = _written(seen)
        if _entries(await link.ask(encode("XRANGE", STREAM, at, at), _PATIENCE_S)):
            return True
        first = _entries(await link.ask(_FIRST, _PATIENCE_S))
        if not first or first[0][0] < seen:
            # Not cut off but another one, such as a replica's: nobody can say what that lacks.
            await link.ask(_BEGIN, _PATIENCE_S)
        return False

    async def _read_on(self, link: RedisLink) -> None:
        while True:
            at = "0-0" if self._seen is None else _written(self._seen)
            reply = await link.ask(
                encode("XREAD", "COUNT", _PAGE, "STREAMS", STREAM, at), _PATIENCE_S
            )
            page = _entries(_of_stream(reply))
            for number, fields in page:
                self._hear(number, fields)
            if self._seen is not None and page:
                self._times.add(_written(self._seen))
            if len(page) < _PAGE:
                return

    def _hear(self, number: StreamId, fields: Reply) -> None:
        if self._seen is None:
            self.log = Invalidated(number)
        self._seen = number
        try:
            name, selector = _read(fields)
        except ValueError as error:
            self.malformed += 1
            log.warning("entry %s of %s means nothing: %s", _written(number), STREAM, error)
            return
        self.log.add(number, selector)
        self._unplaced.pop(name, None)
        self._heard(name, selector)

    def _placed(self, done: "asyncio.Future[Reply]", name: str, selector: Selector) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        reply = done.result()
        number = _parsed(reply) if isinstance(reply, bytes) else None
        if number is not None:
            self._unplaced.pop(name, None)
            self.log.add(number, selector)
        elif isinstance(reply, RedisRefused):
            log.warning("an invalidation could not be told to other gateways: %s", reply)


def _pairs(selector: Selector) -> tuple[tuple[str, str], ...]:
    return selector.terms() or (_EVERYTHING,)


def _read(fields: Reply) -> tuple[str, Selector]:
    """Control's id, and what is meant. ValueError."""
    if not isinstance(fields, list) or len(fields) % 2:
        raise ValueError("it has no pairs of names and values")
    words = [word.decode() if isinstance(word, bytes) else "" for word in fields]
    told: dict[str, Any] = dict(zip(words[::2], words[1::2], strict=True))
    if 2 * len(told) != len(words):
        raise ValueError("it names something twice; write an entry for each")
    name = told.pop(_ID, "")
    if told.get(_EVERYTHING[0]) == _EVERYTHING[1]:
        told[_EVERYTHING[0]] = True
    selector = msgspec.convert(told, Selector)
    wrong = selector.wrong()
    if wrong is not None:
        raise ValueError(wrong)
    return name, selector


def _of_stream(reply: Reply) -> Reply:
    """What `XREAD` of one stream found."""
    if isinstance(reply, list) and reply and isinstance(reply[0], list) and len(reply[0]) > 1:
        return reply[0][1]
    return None


def _entries(reply: Reply) -> list[tuple[StreamId, Reply]]:
    found = []
    for one in reply if isinstance(reply, list) else ():
        number = _parsed(one[0]) if isinstance(one, list) and len(one) > 1 else None
        if number is not None and isinstance(one, list):
            found.append((number, one[1]))
    return found


def _parsed(text: Reply) -> StreamId | None:
    if not isinstance(text, bytes):
        return None
    first, _, second = text.partition(b"-")
    return (int(first), int(second)) if first.isdigit() and second.isdigit() else None


def _written(number: StreamId) -> str:
    return f"{number[0]}-{number[1]}"
