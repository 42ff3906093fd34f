"""Of which kind a text is that is another in each request: told by its form, never quoted."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

Kind = Literal[
    "date",
    "time",
    "uuid",
    "number",
    "identifier",
    "url",
    "name",
    "taken out",
    "order of members",
    "order of a list",
    "order of tools",
    "message",
    "text",
]
_DATE: Final = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DAY: Final = r"(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\b"
# The first that fits is it.
_FORMS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("taken out", re.compile(r"\[[a-z]{2,10}\]")),
    ("uuid", re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")),
    ("date", re.compile(rf"(?:{_DATE}|{_DAY}|{_MONTH} \d|\d{{1,2}}\.? {_MONTH}(?![a-z]))")),
    ("time", re.compile(r"\d{1,2}:\d{2}(?!\d)")),
    ("url", re.compile(r"https?://", re.IGNORECASE)),
    ("number", re.compile(r"[+-]?\d[\d.,_]*(?![\w-])")),
    ("identifier", re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{6,}")),
    ("name", re.compile(r"[A-Z][^\W\d_]+(?: [A-Z][^\W\d_]+){0,2}(?=[\s.,;:!?)\"'\x1e]|$)")),
)
_WORD: Final = re.compile(r"[\w.:/+@-]{0,64}\Z")
_LOOKED_BACK: Final = 16 * 1024
_MOST_LOOKED_AT: Final = 50
_MOST_DEPTH: Final = 8
# Of JSON: a string, or a bracket.
_SIGN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')
_AGREE: Final = 0.6
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode


def starts_at(text: str, place: int) -> int:
    """Where the word begins within which texts part at `place`."""
    found = _WORD.search(text, max(place - 64, 0), place)
    return place if found is None else found.start()


def kind_at(texts: Sequence[str], start: int, end: str) -> Kind:
    """What varies at `start`, before which all are alike. Messages end with the sign `end`."""
    order = _order(texts, start, end)
    if order is not None:
        return order
    before = texts[0][:start]
    line = before[before.rfind(end) + 1 :]
    if "\n" not in line:
        return "message"  # another role follows, or none
    votes: Counter[Kind] = Counter()
    for text in texts:
        here = text[start : start + 256]
        votes[next((kind for kind, form in _FORMS if form.match(here)), "text")] += 1
    kind, count = votes.most_common(1)[0]
    if count < _AGREE * len(texts):
        kind = "text"
    at_its_start = line.endswith("\n") and line.count("\n") == 1
    return "message" if at_its_start and kind in ("text", "name") else kind


def _order(texts: Sequence[str], start: int, end: str) -> Kind | None:
    """Whether they part only by the order in which the same JSON is written."""
    before = texts[0][max(start - _LOOKED_BACK, 0) : start]
    before = before[before.rfind(end) + 1 :]
    offset = start - len(before)
    opened: list[int] = []
    for sign in _SIGN.finditer(before):
        if sign[0] in "{[":
            opened.append(offset + sign.start())
        elif sign[0] in "}]" and opened:
            opened.pop()
    some = texts[:_MOST_LOOKED_AT]
    for at in opened[-_MOST_DEPTH:]:
        blocks = [_block(text, at) for text in some]
        first = blocks[0]
        if first is None or any(block is None for block in blocks):
            continue
        if len({_encode(block) for block in blocks}) == 1:
            return "order of members"
        if len({_encode(_sorted(block)) for block in blocks}) == 1:
            is_tools = texts[0].rfind(f"{end}tools\n", 0, at) >= 0 or texts[0].startswith("tools\n")
            return "order of tools" if is_tools and isinstance(first, list) else "order of a list"
    return None


def _block(text: str, at: int) -> Any:
    """The JSON that begins there; None where none does."""
    depth = 0
    for sign in _SIGN.finditer(text, at, at + 4 * _LOOKED_BACK):
        depth += (sign[0] in "{[") - (sign[0] in "}]")
        if not depth:
            try:
                return _decode(text[at : sign.end()])
            except (msgspec.DecodeError, RecursionError):
                return None
    return None


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(it) for name, it in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(it) for it in value), key=_encode)
    return value
