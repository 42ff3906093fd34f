"""Pairs of questions that people or judges have labelled, by which a semantic tier's threshold is
learnt: read from a file, and scored as a gateway would score them."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tidegate.core.encoding import Encoder, Vector
from tidegate.core.words import quoted
from tidegate.evals.files import MAX_FILE_BYTES, Outside, read_bytes
from tidegate.stats.precision import Scored
from tidegate.text.language import language_of
from tidegate.text.strict_json import UNREADABLE
from tidegate.text.veto import veto

MAX_PAIRS: Final = 200_000
_AT_ONCE: Final = 64
_Text = Annotated[str, Meta(min_length=1, max_length=100_000)]
_LABELS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_COLUMNS: Final = ("text_a", "text_b", "label")


class PairsRefused(Exception):
    """The file holds no pairs. The message has file and line."""


class Pair(Struct, frozen=True):
    """Two questions, and whether one answer does for both."""

    text_a: _Text
    text_b: _Text
    is_same: bool


class _Line(Struct):
    text_a: _Text
    text_b: _Text
    label: bool | int


_decode: Final = msgspec.json.Decoder(_Line).decode


def read_pairs(path: Path) -> list[Pair]:
    """All of a file: JSON lines, or a table where its name ends in `.csv`, with `text_a`, `text_b`
    and `label` (1 the same, 0 not). A pair that comes again says no more than it did, and a
    question beside itself nothing: both are left out. PairsRefused."""
    try:
        data = read_bytes(path, MAX_FILE_BYTES)
    except Outside as error:
        raise PairsRefused(f"{path}: {error}") from None
    if len(data) > MAX_FILE_BYTES:
        raise PairsRefused(f"{path}: it has more than {MAX_FILE_BYTES:,} bytes")
    rows = _table(data, path) if path.suffix.lower() == ".csv" else _lines(data, path)
    found: dict[tuple[frozenset[str], bool], Pair] = {}
    for number, pair in rows:
        if pair.text_a == pair.text_b:
            continue
        found.setdefault((frozenset((pair.text_a, pair.text_b)), pair.is_same), pair)
        if len(found) > MAX_PAIRS:
            raise PairsRefused(f"{path}:{number}: there are more than {MAX_PAIRS:,} pairs")
    if not found:
        raise PairsRefused(f"{path}: there are no pairs of two questions in it")
    return list(found.values())


def _lines(data: bytes, path: Path) -> Iterator[tuple[int, Pair]]:
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            it = _decode(line)
        except UNREADABLE as error:
            raise PairsRefused(f"{path}:{number}: {error}") from None
        if it.label not in (0, 1):
            raise PairsRefused(f"{path}:{number}: `label` is 1 (the same) or 0, not {it.label}")
        yield number, Pair(it.text_a, it.text_b, bool(it.label))


def _table(data: bytes, path: Path) -> Iterator[tuple[int, Pair]]:
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        missing = [it for it in _COLUMNS if it not in (rows.fieldnames or ())]
        if missing:
            raise PairsRefused(f"{path}:1: there is no column {quoted(missing[0])}")
        for row in rows:
            at = f"{path}:{rows.line_num}"
            label = _LABELS.get((row["label"] or "").strip().lower())
            if label is None:
                said = quoted(row["label"] or "")
                raise PairsRefused(f"{at}: `label` is 1 (the same) or 0, not {said}")
            if not row["text_a"] or not row["text_b"]:
                raise PairsRefused(f"{at}: a question is empty")
            yield rows.line_num, Pair(row["text_a"], row["text_b"], label)
    except (csv.Error, UnicodeDecodeError) as error:
        raise PairsRefused(f"{path}: it is no table in UTF-8: {error}") from None


def halves(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Two, of which neither has a question of the other: whatever hangs together by questions that
    are the same to the letter is in one, drawn by a digest."""
    above: dict[str, str] = {}

    def top(text: str) -> str:
        while (up := above.setdefault(text, text)) != text:
            above[text] = text = above[up]
        return text

    for pair in pairs:
        above[top(pair.text_a)] = top(pair.text_b)
    least: dict[str, str] = {}
    for text in above:
        root = top(text)
        least[root] = min(text, least.get(root, text))
    found: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs:
        name = least[top(pair.text_a)].encode(errors="surrogatepass")
        found[sha256(name).digest()[0] % 2].append(pair)
    return found


def scored(
    pairs: Sequence[Pair], encoder: Encoder, tell: Callable[[int], None] = lambda _: None
) -> list[Scored]:
    """Each with its cosine and its veto; texts of two languages never meet. `tell` hears how many
    texts have been encoded. EncoderUnavailable."""
    texts = list(dict.fromkeys(text for it in pairs for text in (it.text_a, it.text_b)))
    vectors: dict[str, Vector | None] = {}
    for start in range(0, len(texts), _AT_ONCE):
        some = texts[start : start + _AT_ONCE]
        vectors.update(zip(some, encoder.encode(some), strict=True))
        tell(start + len(some))
    return [
        Scored(_cosine(vectors[it.text_a], vectors[it.text_b]), it.is_same, _vetoed(it))
        for it in pairs
    ]


def _vetoed(pair: Pair) -> str | None:
    why = veto(pair.text_a, pair.text_b)
    if why is None and language_of(pair.text_a) != language_of(pair.text_b):
        return "language"
    return why


def _cosine(one: Vector | None, other: Vector | None) -> float | None:
    if one is None or other is None:
        return None
    return sum(map(float.__mul__, memoryview(one).cast("f"), memoryview(other).cast("f")))
