"""Anchors: answers that people have judged, by which a judge is calibrated; JSON lines."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from tidegate.core.grading import Case
from tidegate.text.strict_json import UNREADABLE

MAX_BYTES: Final = 64 * 1024 * 1024
Better = Literal["first", "second", "tie"]
Label = bool | Better


class Anchor(Struct, frozen=True, forbid_unknown_fields=True):
    """One answer, and what each person said of it: whether it passes, or, with another answer
    `against` it, which is better, `first` (`answer`), `second` or `tie`. The rest is as in a case
    of a suite, `turns` as pairs of role and text; `strata` say what kind of answer it is."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    answer: str
    labels: Annotated[tuple[Label, ...], Meta(min_length=1, max_length=100)]
    against: str | None = None
    variables: dict[str, Raw] = {}
    turns: tuple[tuple[str, str], ...] = ()
    expected: Raw | None = None
    context: tuple[str, ...] = ()
    strata: dict[str, str] = {}

    @property
    def key(self) -> str:
        """By which it is known again while it asks the same, whatever it is called and whatever
        people say of it (hex)."""
        asked = (self.answer, self.against, self.turns, self.expected, self.context)
        parts = msgspec.json.encode([asked, self.variables], order="deterministic")
        return sha256(parts).hexdigest()[:32]

    def case(self) -> Case:
        expected = None if self.expected is None else self.expected
        return Case(self.id, self.variables, self.turns, expected, self.context)


class AnchorsRefused(Exception):
    """The file holds no anchors. The message has file and line."""


_decode: Final = msgspec.json.Decoder(Anchor).decode


def read_anchors(file: Path, *, pairwise: bool) -> tuple[Anchor, ...]:
    """All of them. AnchorsRefused, OSError."""
    if file.stat().st_size > MAX_BYTES:
        raise AnchorsRefused(f"{file}: it has more than {MAX_BYTES:,} bytes")
    return anchors_of(file.read_bytes(), str(file), pairwise=pairwise)


def anchors_of(data: bytes, file: str, *, pairwise: bool) -> tuple[Anchor, ...]:
    """All of a file that was read; `file` is how messages call it. AnchorsRefused."""
    found: dict[str, Anchor] = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            anchor = _decode(line)
        except UNREADABLE as error:
            raise AnchorsRefused(f"{file}:{number}: {error}") from None
        said = _wrong(anchor, pairwise=pairwise) or (
            f"the id {anchor.id!r} is there twice" if anchor.id in found else None
        )
        if said is not None:
            raise AnchorsRefused(f"{file}:{number}: {said}")
        found[anchor.id] = anchor
    if not found:
        raise AnchorsRefused(f"{file}: there are no anchors in it")
    return tuple(found.values())


def _wrong(anchor: Anchor, *, pairwise: bool) -> str | None:
    words: list[Any] = [it for it in anchor.labels if isinstance(it, str)]
    if pairwise and (anchor.against is None or len(words) < len(anchor.labels)):
        return "this judge compares: it needs `against`, and labels `first`, `second` or `tie`"
    if not pairwise and words:
        return "this judge looks at one answer: labels are true or false"
    return None
