"""How far a judge says what people say, and whether it may decide (docs/gates.md).

Everything is computed from what people and the judge said of the same anchors; nothing is asked
here.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from math import log
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.evals.anchors import Anchor, Label
from tidegate.stats.agreement import Estimate, alpha, bootstrapped, kappa
from tidegate.stats.judge_bias import (
    Judged,
    corrected,
    is_partial,
    length_bias,
    proportion,
)
from tidegate.text.strict_json import UNREADABLE

LEAST_KAPPA: Final = 0.6
BELOW_CEILING: Final = 0.15
LEAST_ANCHORS: Final = 200
_FORM: Final = "tidegate-calibration-1"
_PLACES: Final[Mapping[Label, float]] = {
    "second": 0.0,
    "tie": 0.5,
    "first": 1.0,
    False: 0.0,
    True: 1.0,
}


class Said(Struct, frozen=True):
    """What a judge said of one anchor, each time that it was asked; a label of None is an error.
    `first_shown`: of each comparison, whether what was shown first was held better."""

    anchor: Anchor
    labels: tuple[Label | None, ...]
    first_shown: tuple[bool, ...] = ()


class Calibration(Struct, frozen=True, omit_defaults=True):
    """A judge on its anchors. Intervals are of 95 %. `ceiling` is people's kappa among themselves,
    `flips` the share of anchors that it judges otherwise when it is asked again, `first_share` that
    of verdicts for what was shown first, `length_shift` how far a spread of lengths moves its wins,
    `people` the share that people would pass, free of its bias. Of all its `known` verdicts, those
    of the second time too, `agreed` were people's."""

    judge: str
    model: str
    anchors: int
    anchors_digest: str
    errors: int
    kappa: Estimate
    alpha: float | None
    ceiling: Estimate
    flips: float | None
    people: tuple[float, float, float] | None
    may_decide: bool
    alarms: tuple[str, ...] = ()
    first_share: tuple[float, float, float] | None = None
    length_shift: float | None = None
    form: str = _FORM
    known: int = 0
    agreed: int = 0


def calibrate(judge: str, model: str, said: Sequence[Said]) -> Calibration:
    """Of all that was said. `judge` is its digest."""
    known = [(it, label) for it in said if (label := it.labels[0]) is not None]
    both = [(people_say(it.anchor.labels), label) for it, label in known]
    seed = int.from_bytes(sha256(judge.encode()).digest()[:4], "big")
    agreed = bootstrapped(_kappa, both, seed)
    raters = [it.anchor.labels[:2] for it in said if len(it.anchor.labels) > 1]
    ceiling = bootstrapped(_kappa, [(one, other) for one, other in raters], seed)
    errors = len(said) - len(known)
    why_not = _why_not(agreed, ceiling, len(said), errors)
    shown = proportion(*_first_shown(said)) if any(it.first_shown for it in said) else None
    lengths = length_bias([it for pair in known if (it := _with_length(*pair)) is not None])
    alarms = [*why_not]
    if shown is not None and is_partial(shown):
        alarms.append(f"it prefers what is shown {'first' if shown.low > 0.5 else 'second'}")
    if lengths is not None and lengths.is_biased:
        alarms.append(f"it prefers {'longer' if lengths.shift > 0 else 'shorter'} answers")
    free = corrected(
        [_PLACES[label] for _, label in known], [(_PLACES[a], _PLACES[b]) for a, b in both]
    )
    return Calibration(
        judge,
        model,
        len(said),
        digest_of([it.anchor for it in said]),
        errors,
        agreed,
        alpha([(_PLACES[one], _PLACES[other]) for one, other in both]),
        ceiling,
        _flips(said),
        None if free is None else (free.mean, free.low, free.high),
        not why_not,
        tuple(alarms),
        None if shown is None or shown.share is None else (shown.share, shown.low, shown.high),
        None if lengths is None else lengths.shift,
        known=sum(label is not None for it in said for label in it.labels),
        agreed=sum(label == people_say(it.anchor.labels) for it in said for label in it.labels),
    )


def _why_not(agreed: Estimate, ceiling: Estimate, anchors: int, errors: int) -> list[str]:
    """Why it may only inform."""
    found = []
    if anchors < LEAST_ANCHORS:
        found.append(f"{anchors} anchors are too few: {LEAST_ANCHORS} are asked for")
    if errors * 20 > anchors:
        found.append(f"of {errors} of {anchors} anchors it gave no verdict")
    least = LEAST_KAPPA
    if ceiling.value is not None:
        least = min(least, ceiling.value - BELOW_CEILING)
    if agreed.value is None:
        found.append("its agreement with people cannot be told")
    elif agreed.value < least:
        found.append(f"kappa {agreed.value:.2f} is below {least:.2f}")
    return found


def _kappa(pairs: Sequence[tuple[Label, Label]]) -> float | None:
    return kappa(pairs)


def people_say(labels: Sequence[Label]) -> Label:
    """What most of them say; where they do not agree on one, a tie, or that it does not pass."""
    counts = Counter(labels).most_common(2)
    if len(counts) == 1 or counts[0][1] > counts[1][1]:
        return counts[0][0]
    return "tie" if isinstance(labels[0], str) else False


def _first_shown(said: Sequence[Said]) -> tuple[int, int]:
    shown = [it for one in said for it in one.first_shown]
    return sum(shown), len(shown)


def _flips(said: Sequence[Said]) -> float | None:
    twice = [it.labels for it in said if len(it.labels) > 1 and None not in it.labels]
    return sum(len(set(it)) > 1 for it in twice) / len(twice) if twice else None


def _with_length(it: Said, label: Label) -> Judged | None:
    """None for a tie of either."""
    people = people_say(it.anchor.labels)
    if "tie" in (people, label):
        return None
    longer = log(len(it.anchor.answer) + 1)
    if it.anchor.against is not None:
        longer -= log(len(it.anchor.against) + 1)
    return Judged(people in (True, "first"), label in (True, "first"), longer)


def digest_of(anchors: Sequence[Anchor]) -> str:
    """SHA-256 (hex), whatever their order."""
    parts = sorted(msgspec.json.encode(it, order="deterministic") for it in anchors)
    return sha256(b"\n".join(parts)).hexdigest()


def written(found: Calibration) -> bytes:
    """The calibration file."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


_decode: Final[Callable[[bytes], Calibration]] = msgspec.json.Decoder(Calibration).decode


def deciding(data: bytes) -> frozenset[str]:
    """The digest of the judge of a calibration file, where it may decide. ValueError when it is no
    such file."""
    try:
        found = _decode(data)
    except UNREADABLE as error:
        raise ValueError(f"it is no calibration of a judge: {error}") from None
    if found.form != _FORM:
        raise ValueError(f"it is of the form {found.form!r}, not {_FORM}")
    # What decides is computed anew: a file is written by whoever can write it.
    may = found.may_decide and not _why_not(found.kappa, found.ceiling, found.anchors, found.errors)
    return frozenset((found.judge,)) if may else frozenset()
