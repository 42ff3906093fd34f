"""Answers that no provider should give, made of good ones: each place of their JSON holds what it
should not, events are lost, doubled and moved, bytes are turned over."""

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from tests.text.frames import thrown, told

from tidegate.core.ask import Usage
from tidegate.text.sse import SseSplitter, data_of

_HOLE = "the-hole"
# Of the ways to take one name or word of a payload for another so many are tried: there are more
# than anybody has time for.
MOST_CONFUSED = 200
MOST_TOKENS = 100_000_000
# What may stand in place of any value. The long ones are depth that nobody may follow.
VALUES: tuple[bytes, ...] = (
    *(b"null", b"true", b"0", b"-1", b"7", b"1e999", b"NaN", b"1.5", b"9223372036854775808"),
    *(b'""', b'"x"', b'"\xff"', b'"\\ud800"', b'"\\u0000"', b"[]", b"{}", b"[null]", b'[{"a":[]}]'),
    *(b'{"a":1}', b"1" + b"0" * 400, b"[" * 3000, b"[" * 3000 + b"]" * 3000),
)


class Piece(NamedTuple):
    """One event of a stream: its payload, and what makes an event of another."""

    payload: bytes | None
    made: Callable[[bytes], bytes]

    @property
    def bytes(self) -> bytes:
        return self.made(self.payload or b"")


def pieces_of(path: Path) -> list[Piece]:
    """A stream of `tests/bytes` as its events."""
    if path.suffix == ".events":
        return [_frame(line) for line in path.read_text().splitlines()]
    return server_sent(path.read_bytes())


def server_sent(stream: bytes) -> list[Piece]:
    return [_server_sent(event) for event in SseSplitter().feed(stream)]


def _server_sent(event: bytes) -> Piece:
    payload = data_of(event)
    if payload is None or not payload.startswith(b"{"):
        return Piece(None, lambda _: event)
    before, after = event.split(payload)
    return Piece(payload, lambda one: before + one + after)


def _frame(line: str) -> Piece:
    kind, name, payload = line.split(" ", 2)
    make = told if kind == "event" else thrown
    return Piece(payload.encode(), lambda one: make(name, one))


def joined(pieces: list[Piece]) -> bytes:
    return b"".join(piece.bytes for piece in pieces)


Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in a JSON value, itself first."""
    yield at
    if isinstance(value, dict):
        for name, one in value.items():
            yield from places(one, (*at, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from places(one, (*at, number))


def with_value(payload: bytes, at: Place, value: bytes) -> bytes:
    """The payload with these bytes at that place."""
    whole = msgspec.json.decode(payload)
    if not at:
        return value
    _at(whole, at[:-1])[at[-1]] = _HOLE
    return msgspec.json.encode(whole).replace(b'"%b"' % _HOLE.encode(), value)


def without(payload: bytes, at: Place) -> bytes:
    whole = msgspec.json.decode(payload)
    del _at(whole, at[:-1])[at[-1]]
    return msgspec.json.encode(whole)


def doubled(payload: bytes, at: Place, value: bytes) -> bytes:
    """A member twice, with another value first."""
    whole = msgspec.json.decode(payload)
    holder, name = _at(whole, at[:-1]), at[-1]
    kept = copy.deepcopy(holder[name])
    holder[name] = _HOLE
    both = b"%b,%b:%b" % (value, msgspec.json.encode(name), msgspec.json.encode(kept))
    return msgspec.json.encode(whole).replace(b'"%b"' % _HOLE.encode(), both)


def renamed(payload: bytes, at: Place, name: str) -> bytes:
    whole = msgspec.json.decode(payload)
    holder = _at(whole, at[:-1])
    holder[name] = holder.pop(at[-1])
    return msgspec.json.encode(whole)


def _at(whole: Any, at: Place) -> Any:
    for step in at:
        whole = whole[step]
    return whole


def changed(payload: bytes) -> Iterator[bytes]:
    """The payload with one thing wrong, in every way that is known here."""
    for at in places(msgspec.json.decode(payload)):
        for value in VALUES:
            yield with_value(payload, at, value)
        if at:
            yield without(payload, at)
            if isinstance(at[-1], str):
                yield doubled(payload, at, b"7")


def shape(payload: bytes) -> tuple[object, ...]:
    """What is alike of two payloads that say different things in the same way."""
    whole = msgspec.json.decode(payload)
    return (whole.get("type"), *(at for at in places(whole)))


def streams_with_one_wrong(pieces: list[Piece]) -> Iterator[bytes]:
    """The stream with one payload changed; of payloads that are alike, the first and the last."""
    alike: dict[Any, list[int]] = {}
    for number, piece in enumerate(pieces):
        if piece.payload is not None:
            alike.setdefault(shape(piece.payload), []).append(number)
    for number in sorted({of[at] for of in alike.values() for at in (0, -1)}):
        piece = pieces[number]
        assert piece.payload is not None
        before, after = joined(pieces[:number]), joined(pieces[number + 1 :])
        mixed = list(confused(piece.payload, pieces))
        chosen = random.Random(number).sample(mixed, min(len(mixed), MOST_CONFUSED))
        for payload in (*changed(piece.payload), *chosen):
            yield before + piece.made(payload) + after


def confused(payload: bytes, pieces: list[Piece]) -> Iterator[bytes]:
    """The payload with one short text, or the name of one member, put for another."""
    whole = [msgspec.json.decode(one.payload) for one in pieces if one.payload is not None]
    found = [_at(one, at) for one in whole for at in places(one)]
    names = {name for value in found if isinstance(value, dict) for name in value}
    texts = {value for value in found if isinstance(value, str) and len(value) < 24}
    for at in places(msgspec.json.decode(payload)):
        there = _at(msgspec.json.decode(payload), at)
        for text in texts if isinstance(there, str) else ():
            yield with_value(payload, at, msgspec.json.encode(text))
        for name in names if at and isinstance(at[-1], str) else ():
            yield renamed(payload, at, name)


def disordered(pieces: list[Piece], chance: random.Random) -> list[Piece]:
    """Events lost, doubled and moved, and one wrong value now and then."""
    made = list(pieces)
    for _ in range(chance.randint(1, 3)):
        at, kind = chance.randrange(len(made)), chance.randrange(4)
        if kind == 0 and len(made) > 1:
            del made[at]
        elif kind == 1:
            made.insert(chance.randrange(len(made) + 1), made[at])
        elif kind == 2:
            made.insert(chance.randrange(len(made)), made.pop(at))
        else:
            made[at] = wrong(made[at], chance)
    return made


def wrong(piece: Piece, chance: random.Random) -> Piece:
    if piece.payload is None or not piece.payload.startswith(b"{"):
        return piece
    try:
        at = chance.choice(list(places(msgspec.json.decode(piece.payload))))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return piece  # it is wrong already
    return Piece(with_value(piece.payload, at, chance.choice(VALUES)), piece.made)


class Words(NamedTuple):
    """All that stands in payloads: texts, whole numbers, and values of any kind."""

    texts: set[str]
    numbers: set[int]
    values: list[Any]


def words_of(payloads: Iterable[bytes]) -> Words:
    """Those that cannot be read say nothing; what was put into them may be told all the same, but
    for 0: nothing unknown is that."""
    words = Words(set(), set(), [])
    for payload in (*payloads, *(value for value in VALUES if value != b"0")):
        try:
            _gather(msgspec.json.decode(payload), words)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return words


def _gather(value: Any, words: Words) -> None:
    words.values.append(value)
    if isinstance(value, str):
        words.texts.add(value)
    elif isinstance(value, dict):
        for one in value.values():
            _gather(one, words)
    elif isinstance(value, list):
        for one in value:
            _gather(one, words)
    elif isinstance(value, int):
        words.numbers.add(int(value))


def is_text_of(text: str, values: list[Any]) -> bool:
    """Numbers that nobody can hold are passed on as the text that came."""
    try:
        return msgspec.json.decode(text) in values
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "1e999" in text


def is_known(usage: Usage | None, words: Words) -> bool:
    """Each figure is one that was told, or what is left of one, or two together. Unknown is never
    0."""
    if usage is None or usage.conflict:
        return True
    figures = (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    figures += (usage.output_tokens, usage.reasoning_tokens)
    return all(count is None or _is_figure(count, words.numbers) for count in figures)


def _is_figure(count: int, told: set[int]) -> bool:
    if not 0 <= count <= MOST_TOKENS:
        return False
    left = {count + one for one in told}
    return (
        count in told
        or not told.isdisjoint(left)
        or any(count - one in told for one in told)
        or any(one + other in told for one in left for other in told)
    )
