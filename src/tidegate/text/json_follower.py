"""Follows JSON as it comes, in any slicing: still possible, complete, or impossible from where.

A state machine over the bytes of one JSON value (RFC 8259, as msgspec reads it: strict numbers,
no half surrogate pairs). It builds nothing and keeps nothing but a bit a level of nesting.
"""

import re
from collections.abc import Mapping
from typing import Final

MAX_DEPTH = 64

# Where a text is. The names say what comes next, or within what it is.
_VALUE, _FIRST_ITEM, _FIRST_KEY, _KEY, _COLON, _AFTER, _DONE = range(7)
_STRING, _ESCAPE, _HEX, _LITERAL, _NUMBER = range(7, 12)

# A run within a string that says nothing: no quote, no backslash, no control character.
_RUN = re.compile(rb'[^"\\\x00-\x1f]*')
_SPACE = re.compile(rb"[ \t\r\n]*")
# Larger chunks go by leaps: members and items that stand there whole, up to where a level or a text
# begins (`open`), a key begins (`key`) or a level ends (`close`), each a group of its pattern.
_LEAP_BYTES = 4
_WS = rb"[ \t\r\n]*+"
_TEXT = rb'"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt])*+"'
_BARE = rb"(?>true|false|null|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
# What stands alone may go on in the next chunk, unless something follows it.
_SCALAR = rb"(?>%b|%b(?=[ \t\r\n,\]}]))" % (_TEXT, _BARE)
_MEMBER = rb"%b%b:%b" % (_TEXT, _WS, _WS)
_OPEN = rb'([{\["])'
_MEMBERS = rb'(?>%b,%b%b%b)*+(?:%b,%b(?:%b%b|("))|%b(\}))?+' % (
    *(_WS, _WS, _MEMBER, _SCALAR),
    *(_WS, _WS, _MEMBER, _OPEN, _WS),
)
_ITEMS = rb"(?>%b,%b%b)*+(?:%b,%b%b|%b(\]))?+" % (_WS, _WS, _SCALAR, _WS, _WS, _OPEN, _WS)
_MEMBER_VALUE = rb"(?:%b%b|%b)" % (_SCALAR, _MEMBERS, _OPEN)
_ITEM_VALUE = rb"%b(?:%b%b|%b)" % (_WS, _SCALAR, _ITEMS, _OPEN)
_FIRST = rb'%b(?:%b%b|("))' % (_WS, _MEMBER, _MEMBER_VALUE)
_Leap = tuple[re.Pattern[bytes], tuple[str, ...]] | None


def _leap(pattern: bytes, *groups: str) -> _Leap:
    return re.compile(pattern), ("", *groups)


_OF_MEMBERS = ("open", "key", "close")
# By where a text is, within an array and within an object.
_LEAPS: Final[tuple[tuple[_Leap, ...], ...]] = (
    (
        *(_leap(_ITEM_VALUE, "open", "close", "open"),) * 2,
        *(None,) * 3,
        _leap(_ITEMS, "open", "close"),
    ),
    (
        _leap(_WS + _MEMBER_VALUE, *_OF_MEMBERS, "open"),
        None,
        *(_leap(_FIRST, *_OF_MEMBERS, "open", "key"),) * 2,
        _leap(rb"%b:%b%b" % (_WS, _WS, _MEMBER_VALUE), *_OF_MEMBERS, "open"),
        _leap(_MEMBERS, *_OF_MEMBERS),
    ),
)
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_ESCAPES = frozenset(b'"\\/bfnrt')
_LITERALS: Final[Mapping[int, bytes]] = {ord("t"): b"rue", ord("f"): b"alse", ord("n"): b"ull"}

# States of a number, and the state that each byte leads to; after those in _WHOLE it may end.
_MINUS, _ZERO, _INTEGER, _POINT, _FRACTION, _E, _E_SIGN, _EXPONENT = range(8)
_DIGITS = b"0123456789"
_WHOLE = frozenset({_ZERO, _INTEGER, _FRACTION, _EXPONENT})
_STEPS: Final[tuple[Mapping[int, int], ...]] = (
    {ord("0"): _ZERO, **dict.fromkeys(b"123456789", _INTEGER)},
    {ord("."): _POINT, **dict.fromkeys(b"eE", _E)},
    {ord("."): _POINT, **dict.fromkeys(b"eE", _E), **dict.fromkeys(_DIGITS, _INTEGER)},
    dict.fromkeys(_DIGITS, _FRACTION),
    {**dict.fromkeys(b"eE", _E), **dict.fromkeys(_DIGITS, _FRACTION)},
    {**dict.fromkeys(b"+-", _E_SIGN), **dict.fromkeys(_DIGITS, _EXPONENT)},
    dict.fromkeys(_DIGITS, _EXPONENT),
    dict.fromkeys(_DIGITS, _EXPONENT),
)
_STARTS = {ord("-"): _MINUS, **_STEPS[_MINUS]}


class JsonFollower:
    """One JSON value, followed. `error_at` is the offset of the first byte that makes it none.

    What is fed is UTF-8: it comes out of strings that a decoder has judged.
    """

    __slots__ = (
        "_expected",
        "_in_object",
        "_is_key",
        "_left",
        "_low",
        "_number",
        "_state",
        "_unit",
        "error_at",
        "fed_bytes",
    )

    def __init__(self) -> None:
        self._state = _VALUE
        # Of each level that is open, whether it is an object.
        self._in_object: list[bool] = []
        self._is_key = False
        self._expected = b""
        self._number = _MINUS
        # Of a \\u escape: digits to come, its value so far, and whether a low surrogate must come.
        self._left = self._unit = 0
        self._low = False
        self.error_at: int | None = None
        self.fed_bytes = 0

    @property
    def complete(self) -> bool:
        """Nothing is missing: the text so far is one JSON value."""
        if self.error_at is not None:
            return False
        if self._state == _NUMBER:
            return not self._in_object and self._number in _WHOLE
        return self._state == _DONE

    def feed(self, data: bytes) -> bool:
        """Whether what has come so far can still become JSON."""
        if self.error_at is not None:
            return False
        at, end = 0, len(data)
        while at < end:
            state = self._state
            if state == _STRING:
                at = _RUN.match(data, at).end()  # type: ignore[union-attr]  # it matches nothing too
                if at == end:
                    break
                fits: bool | None = self._end_run(data[at])
            elif state > _STRING:
                fits = self._within(state, data[at])
                if fits is None:  # a number has ended before this byte
                    continue
            else:
                if end - at > _LEAP_BYTES:
                    at = self._leap(data, at)
                    state = self._state
                    if state == _STRING:
                        continue
                at = _SPACE.match(data, at).end()  # type: ignore[union-attr]
                if at == end:
                    break
                fits = self._between(state, data[at])
            if not fits:
                self.error_at = self.fed_bytes + at
                return False
            at += 1
        self.fed_bytes += end
        return True

    def _leap(self, data: bytes, at: int) -> int:
        """Past what is whole and plain. Where that ends within nothing, the next byte is looked at
        alone."""
        in_object = self._in_object
        while in_object and len(in_object) < MAX_DEPTH:
            leap = _LEAPS[in_object[-1]][self._state]
            match = None if leap is None else leap[0].match(data, at)
            if leap is None or match is None:
                return at
            past = match.end()
            if match.lastindex is None:
                if past > at:
                    self._state = _AFTER
                return past
            at, what = past, leap[1][match.lastindex]
            if what == "close":
                in_object.pop()
                self._state = _AFTER if in_object else _DONE
                continue
            byte = data[past - 1]
            if byte == 0x22:  # "
                self._is_key, self._state = what == "key", _STRING
                return at
            in_object.append(byte == 0x7B)
            self._state = _FIRST_KEY if byte == 0x7B else _FIRST_ITEM
        return at

    def _between(self, state: int, byte: int) -> bool:
        """One byte of structure, or the first of a value."""
        if byte == 0x22:  # "
            self._is_key = state in (_FIRST_KEY, _KEY)
            if not self._is_key and state not in (_VALUE, _FIRST_ITEM):
                return False
            self._state = _STRING
            return True
        if state == _AFTER:
            if byte == 0x2C:  # ,
                self._state = _KEY if self._in_object[-1] else _VALUE
                return True
            return self._close(byte)
        if state == _COLON:
            self._state = _VALUE
            return byte == 0x3A
        if state == _FIRST_KEY or (state == _FIRST_ITEM and byte == 0x5D):
            return self._close(byte)
        return state in (_VALUE, _FIRST_ITEM) and self._begin(byte)

    def _begin(self, byte: int) -> bool:
        """The first byte of a value that is no string."""
        if byte in (0x7B, 0x5B):  # { [
            self._in_object.append(byte == 0x7B)
            self._state = _FIRST_KEY if byte == 0x7B else _FIRST_ITEM
            return len(self._in_object) <= MAX_DEPTH
        number = _STARTS.get(byte)
        if number is not None:
            self._state, self._number = _NUMBER, number
            return True
        self._state, self._expected = _LITERAL, _LITERALS.get(byte, b"")
        return bool(self._expected)

    def _close(self, byte: int) -> bool:
        if byte != (0x7D if self._in_object[-1] else 0x5D):  # } ]
            return False
        self._in_object.pop()
        self._end_value()
        return True

    def _end_value(self) -> None:
        self._state = _AFTER if self._in_object else _DONE

    def _end_run(self, byte: int) -> bool:
        """A byte that ends a run within a string."""
        if byte == 0x5C:  # backslash
            self._state = _ESCAPE
            return True
        if byte != 0x22 or self._low:
            return False
        if self._is_key:
            self._state = _COLON
        else:
            self._end_value()
        return True

    def _within(self, state: int, byte: int) -> bool | None:
        """A byte within an escape, a literal or a number; None where a number ended before it."""
        if state == _NUMBER:
            number = _STEPS[self._number].get(byte)
            if number is not None:
                self._number = number
                return True
            if self._number not in _WHOLE:
                return False
            self._end_value()
            return None
        if state == _LITERAL:
            fits = self._expected[0] == byte
            self._expected = self._expected[1:]
            if not self._expected:
                self._end_value()
            return fits
        if state == _ESCAPE:
            if byte == 0x75:  # u
                self._state, self._left, self._unit = _HEX, 4, 0
                return True
            self._state = _STRING
            return byte in _ESCAPES and not self._low
        return self._hex(byte)

    def _hex(self, byte: int) -> bool:
        if byte not in _HEX_DIGITS:
            return False
        self._unit = self._unit * 16 + int(chr(byte), 16)
        self._left -= 1
        if self._left:
            return True
        self._state = _STRING
        is_low = 0xDC00 <= self._unit <= 0xDFFF
        if is_low != self._low:
            return False
        self._low = 0xD800 <= self._unit <= 0xDBFF
        return True
