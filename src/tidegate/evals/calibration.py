"""How far a judge says what people say, and whether it may decide (docs/gates.md).

Everything is computed from what people and the judge said of the same anchors; nothing is asked
here.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.evals.anchors import Anchor, Label
from tidegate.evals.both_judged import PLACES, Both, Stratum, by_stratum, chars, marks, moved
from tidegate.evals.bridge import Bridge, bridged
from tidegate.stats.agreement import Estimate, alpha, bootstrapped, kappa
from tidegate.stats.judge_bias import (
    Bias,
    LengthBias,
    bias,
    is_partial,
    length_bias,
    proportion,
)
from tidegate.text.strict_json import UNREADABLE

LEAST_KAPPA: Final = 0.6
BELOW_CEILING: Final = 0.15
LEAST_ANCHORS: Final = 200
# So many have to have two raters before what people say of each other is a ceiling.
LEAST_TWICE: Final = 50
# A stratum of fewer says little by itself.
LEAST_IN_STRATUM: Final = 20
_FORM: Final = "tidegate-calibration-2"


class Said(Struct, frozen=True):
    """What a judge said of one anchor, each time that it was asked; a label of None is an error.
    `first_shown`: of each comparison, whether what was shown first was held better."""

    anchor: Anchor
    labels: tuple[Label | None, ...]
    first_shown: tuple[bool, ...] = ()


class Calibration(Struct, frozen=True):
    """A judge on its anchors. Intervals are of 95 %.

    `ceiling` is people's kappa among themselves, `twice` of how many anchors two people have
    spoken, `flips` the share of anchors that it judges otherwise when it is asked again,
    `first_share` that of verdicts for what was shown first, `length_shift` and `markdown_shift` how
    far a spread of lengths, and of lists and Markdown, moves its wins, `bias` what people give more
    than it does. `said` is what it said of each anchor, by which a later judge is bridged to it.
    Of all its `known` verdicts, those of the second time too, `agreed` were people's.
    """

    judge: str
    model: str
    anchors: int
    anchors_digest: str
    errors: int
    kappa: Estimate
    alpha: Estimate
    ceiling: Estimate
    twice: int
    flips: float | None
    bias: Bias | None
    may_decide: bool
    alarms: tuple[str, ...] = ()
    first_share: tuple[float, float, float] | None = None
    length_shift: float | None = None
    markdown_shift: float | None = None
    strata: tuple[Stratum, ...] = ()
    said: Mapping[str, float] = {}
    bridge: Bridge | None = None
    form: str = _FORM
    known: int = 0
    agreed: int = 0


def calibrate(judge: str, model: str, said: Sequence[Said]) -> Calibration:
    """Of all that was said. `judge` is its digest."""
    known = [
        Both(it.anchor, people_say(it.anchor.labels), label)
        for it in said
        if (label := it.labels[0]) is not None
    ]
    places = [(PLACES[it.people], PLACES[it.judge]) for it in known]
    seed = int.from_bytes(sha256(judge.encode()).digest()[:4], "big")
    agreed = bootstrapped(kappa, [(it.people, it.judge) for it in known], seed)
    raters = [it.anchor.labels[:2] for it in said if len(it.anchor.labels) > 1]
    ceiling = bootstrapped(kappa, [(one, other) for one, other in raters], seed)
    against = _why_not(agreed, ceiling, len(raters), len(said), len(said) - len(known))
    shown = proportion(*_first_shown(said)) if any(it.first_shown for it in said) else None
    lengths = length_bias(moved(known, chars))
    marked = length_bias(moved(known, marks))
    strata = by_stratum(known, seed)
    alarms = [*against, *_doubts(raters, strata, lengths, marked)]
    if shown is not None and is_partial(shown):
        alarms.append(f"it prefers what is shown {'first' if shown.low > 0.5 else 'second'}")
    return Calibration(
        judge,
        model,
        len(said),
        digest_of([it.anchor for it in said]),
        len(said) - len(known),
        agreed,
        bootstrapped(alpha, places, seed),
        ceiling,
        len(raters),
        _flips(said),
        bias(places),
        not against,
        tuple(alarms),
        None if shown is None or shown.share is None else (shown.share, shown.low, shown.high),
        None if lengths is None else lengths.shift,
        None if marked is None else marked.shift,
        strata,
        {it.anchor.id: PLACES[it.judge] for it in known},
        known=sum(label is not None for it in said for label in it.labels),
        agreed=sum(label == people_say(it.anchor.labels) for it in said for label in it.labels),
    )


def beside(found: Calibration, before: Calibration) -> Calibration:
    """With the bridge from an earlier judge of the same anchors."""
    made = bridged(before.judge, before.model, before.said, found.said)
    return replace(found, bridge=made)


def _doubts(
    raters: Sequence[object],
    strata: Sequence[Stratum],
    lengths: LengthBias | None,
    marks: LengthBias | None,
) -> list[str]:
    """What is told of it, and lets it decide all the same."""
    found = []
    if len(raters) < LEAST_TWICE:
        found.append(
            f"of {len(raters)} anchors two people have spoken: {LEAST_TWICE} make a ceiling"
        )
    if lengths is not None and lengths.is_biased:
        found.append(f"it prefers {'longer' if lengths.shift > 0 else 'shorter'} answers")
    if marks is not None and marks.is_biased:
        found.append(f"it prefers answers with {'more' if marks.shift > 0 else 'less'} Markdown")
    found += [
        f"of {it.name} it agrees less: kappa {it.kappa.value:.2f}"
        for it in strata
        if it.anchors >= LEAST_IN_STRATUM and it.kappa.value is not None and _is_low(it.kappa)
    ]
    return found


def _is_low(agreed: Estimate) -> bool:
    """Surely too low."""
    return agreed.high is not None and agreed.high < LEAST_KAPPA


def _why_not(
    agreed: Estimate, ceiling: Estimate, twice: int, anchors: int, errors: int
) -> list[str]:
    """Why it may only inform."""
    found = []
    if anchors < LEAST_ANCHORS:
        found.append(f"{anchors} anchors are too few: {LEAST_ANCHORS} are asked for")
    if errors * 20 > anchors:
        found.append(f"of {errors} of {anchors} anchors it gave no verdict")
    least = LEAST_KAPPA
    if ceiling.value is not None and twice >= LEAST_TWICE:
        least = min(least, ceiling.value - BELOW_CEILING)
    if agreed.value is None:
        found.append("its agreement with people cannot be told")
    elif agreed.value < least:
        found.append(f"kappa {agreed.value:.2f} is below {least:.2f}")
    return found


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


def digest_of(anchors: Sequence[Anchor]) -> str:
    """SHA-256 (hex), whatever their order."""
    parts = sorted(msgspec.json.encode(it, order="deterministic") for it in anchors)
    return sha256(b"\n".join(parts)).hexdigest()


def written(found: Calibration) -> bytes:
    """The calibration file."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


class _Form(Struct):
    form: str


_form: Final = msgspec.json.Decoder(_Form).decode
_decode: Final[Callable[[bytes], Calibration]] = msgspec.json.Decoder(Calibration).decode


def read_calibration(data: bytes) -> Calibration:
    """What a calibration file holds. ValueError when it is no such file."""
    try:
        form = _form(data).form
        if form != _FORM:
            raise ValueError(f"it is of the form {form!r}, not {_FORM}: calibrate the judge anew")
        return _decode(data)
    except UNREADABLE as error:
        raise ValueError(f"it is no calibration of a judge: {error}") from None


def may_decide(found: Calibration) -> bool:
    """Computed anew: a file is written by whoever can write it."""
    return found.may_decide and not why_not(found)


def why_not(found: Calibration) -> list[str]:
    """Why it may only inform, by its figures."""
    return _why_not(found.kappa, found.ceiling, found.twice, found.anchors, found.errors)
